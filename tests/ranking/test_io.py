"""Files in every accepted format and schema, and what is said of those that are not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import RankingSpec, VoteFileError, Votes, fit
from ranking.io import Reject, VoteFile, read_votes, write_votes
from ranking.tables import COLUMNS

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str | bytes, name: str = "votes.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def lines(*records: Any) -> str:
    return "\n".join(json.dumps(record) for record in records) + "\n"


def rows(read: VoteFile, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in columns) for row in read.table.to_pylist()]


def vote(**more: Any) -> dict[str, Any]:
    return {"model_a": "x", "model_b": "y", "winner": "model_a", **more}


# -- Schemas ---------------------------------------------------------------------------------


def test_plain_csv(write: Write) -> None:
    read = read_votes(write("model_a,model_b,winner\nx,y,model_a\n y ,x,both_bad\n"))

    assert (read.schema, read.rows_read, read.rejects) == ("plain", 2, ())
    assert rows(read, "model_a", "model_b", "winner") == [
        ("x", "y", "model_a"),
        ("y", "x", "both_bad"),
    ]
    assert read.table.column_names == ["model_a", "model_b", "winner"]
    assert read.table.schema.field("winner").type == COLUMNS["winner"]


@pytest.mark.parametrize("voter", ["voter", "worker", "judge"])
def test_left_right_csv(write: Write, voter: str) -> None:
    read = read_votes(write(f"id,left,right,winner,{voter}\n0,x,y,left,7\n0,x,y,right,\n"))

    assert read.schema == "left_right"
    assert rows(read, "winner", "voter") == [("model_a", "7"), ("model_b", None)]
    assert "id" not in read.table.column_names


def test_55k_csv(write: Write) -> None:
    header = (
        "id,model_a,model_b,prompt,response_a,response_b,winner_model_a,winner_model_b,winner_tie"
    )
    answer = '"[""# Title\\n- one\\n**two**""]"'
    read = read_votes(write(f"{header}\n1,x,y,hi,{answer},plain,1,0,0\n2,x,y,hi,a,b,0,0,1\n"))

    assert read.schema == "55k"
    assert rows(read, "id", "winner") == [("1", "model_a"), ("2", "tie")]
    assert rows(read, "headers_a", "lists_a", "bold_a", "headers_b")[0] == (1, 1, 1, 0)


def test_100k_jsonl(write: Write) -> None:
    answer = {"role": "assistant", "content": "# A\n```\nx\n```"}
    talk = [{"role": "user", "content": "hi"}, answer]
    read = read_votes(
        write(
            lines(
                vote(
                    question_id="q1",
                    judge_hash="u",
                    anony=True,
                    tstamp=1718000000.25,
                    winner="tie (bothbad)",
                    conversation_a=talk,
                    conversation_b=talk,
                ),
                vote(question_id="q2", judge_hash="u", anony=False, tstamp=1718000001),
            ),
            "votes.json",
        )
    )

    assert read.schema == "100k"
    assert rows(read, "id", "voter", "winner", "excluded") == [
        ("q1", "u", "both_bad", None),
        ("q2", "u", "model_a", "named"),
    ]
    assert read.table["timestamp"][0].as_py().isoformat() == "2024-06-10T06:13:20.250000+00:00"
    assert rows(read, "code_a", "headers_a", "code_b")[0] == (1, 1, 1)


NATIVE = vote(
    id="1",
    evaluation_session_id="s",
    evaluation_order=2,
    language="en",
    is_code=False,
    timestamp="2025-05-29T14:48:41.602925",
    conversation_a=[
        {"role": "user", "content": [{"type": "text", "text": "```\nno\n```"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "```\nyes\n```\n🎉"}]},
    ],
    conversation_b=[{"role": "assistant", "content": [{"type": "text", "text": "no"}]}],
    conv_metadata={
        "sum_assistant_a_tokens": 1854,
        "sum_assistant_b_tokens": 264,
        "header_count_a": {"h1": 1, "h2": 2, "h3": 0},
        "header_count_b": {"h1": 0, "h2": 0, "h3": 0},
        "list_count_a": {"ordered": 1, "unordered": 3},
        "list_count_b": {"ordered": 0, "unordered": 0},
        "bold_count_a": {"**": 65, "__": 1},
        "bold_count_b": {"**": 5, "__": 0},
    },
    category_tag={"math_v0.1": {"math": True}, "if_v0.1": {"if": False, "score": 1}},
)


def check_native(read: VoteFile) -> None:
    assert read.schema == "140k"
    (row,) = read.table.to_pylist()
    assert (row["tokens_a"], row["tokens_b"], row["headers_a"]) == (1854, 264, 3)
    assert (row["lists_a"], row["bold_a"], row["bold_b"]) == (4, 66, 5)
    assert (row["code_a"], row["code_b"], row["emoji_a"]) == (1, 0, 1)
    assert (row["category_tag.math_v0.1.math"], row["category_tag.if_v0.1.score"]) == (True, 1.0)
    assert (row["evaluation_session_id"], row["evaluation_order"], row["is_code"]) == (
        "s",
        2,
        False,
    )
    assert row["timestamp"].isoformat() == "2025-05-29T14:48:41.602925+00:00"


def test_140k_json_lines(write: Write) -> None:
    check_native(read_votes(write(lines(NATIVE))))


def test_140k_json_array(write: Write) -> None:
    check_native(read_votes(write(json.dumps([NATIVE], indent=2))))


def test_140k_nested_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([NATIVE]), tmp_path / "votes.parquet")

    check_native(read_votes(tmp_path / "votes.parquet"))


def test_our_own_table_comes_back_as_it_was(write: Write, tmp_path: Path) -> None:
    text = lines(
        vote(
            voter="u",
            shown_first="model_b",
            draw_probability=0.25,
            pacing="native",
            tokens_a=3,
            tokens_b=4.0,
            first_token_a=0.5,
            first_token_b=0.75,
            timestamp="2025-01-01T00:00:00Z",
            excluded="bot",
        ),
        vote(model_b="x", excluded="same revision"),
    )
    read = read_votes(write(text))
    write_votes(read.table, tmp_path / "again.parquet")
    again = read_votes(tmp_path / "again.parquet")

    assert read.schema == again.schema == "tiltyard"
    assert again.table.equals(read.table)
    assert Votes.from_arrow(again.table).rules == ("bot", "same revision")


def test_real_files(real_votes: Path) -> None:
    natural = read_votes(real_votes / "arena_140k_native_100.jsonl")
    votes = read_votes(real_votes / "arena_140k_votes.parquet", skip_bad=True)
    crowd = read_votes(real_votes / "llmfao.csv")

    assert (natural.schema, natural.table.num_rows) == ("140k", 100)
    assert Votes.from_arrow(natural.table).features.keys() >= {"tokens", "code", "emoji"}
    assert (votes.schema, votes.table.num_rows, len(votes.rejects)) == ("140k", 135_624, 10)
    assert "set against itself" in votes.rejects[0].reason
    assert (crowd.schema, crowd.table.num_rows) == ("left_right", 8_931)


def test_progress_counts_rows(write: Write) -> None:
    seen: list[int] = []
    read_votes(write("model_a,model_b,winner\n" + "x,y,tie\n" * 500), progress=seen.append)

    assert seen[-1] == 500


# -- Malformed rows --------------------------------------------------------------------------

BAD_CSV = """model_a,model_b,winner,tokens_a,timestamp
x,y,model_a,5,2025-01-01

x,y,draw,5,2025-01-01
x,x,tie,5,2025-01-01
"x
y",z,tie,5,2025-01-01
,y,tie,5,2025-01-01
x,y,tie
x,y,tie,many,2025-01-01
x,y,tie,-5,2025-01-01
x,y,tie,inf,2025-01-01
x,y,,5,2025-01-01
x,y,tie,5,2025-13-01
x,y,tie,5,yesterday
x,y,tie,nan,
"""


def test_every_malformed_row_is_named_with_its_line(write: Write) -> None:
    read = read_votes(write(BAD_CSV), skip_bad=True)

    assert read.rejects == (
        Reject(4, "unknown outcome 'draw'"),
        Reject(5, "'x' is set against itself"),
        Reject(6, "model_a holds a control character"),
        Reject(8, "model_a is empty"),
        Reject(9, "3 fields, not 5"),
        Reject(10, "tokens_a is not a number: 'many'"),
        Reject(11, "tokens_a is negative or infinite: '-5'"),
        Reject(12, "tokens_a is not a number: 'inf'"),
        Reject(13, "winner is missing"),
        Reject(14, "timestamp is not a time: '2025-13-01'"),
        Reject(15, "timestamp is not a time: 'yesterday'"),
    )
    assert read.rows_read == 13
    assert read.table.num_rows == 2


def test_without_leave_nothing_is_taken_and_the_text_says_why(write: Write) -> None:
    with pytest.raises(VoteFileError) as caught:
        read_votes(write(BAD_CSV))

    text = str(caught.value)
    assert len(caught.value.rejects) == 11
    assert "11 rows are malformed, of 13" in text
    assert "line 4: unknown outcome 'draw'" in text
    assert "… and 1 more" in text
    assert "--skip-bad" in text


def test_malformed_json_lines(write: Write) -> None:
    deep = "[" * 100_000
    text = (
        lines(vote())
        + '{"model_a": "x", \n\n[1]\n'
        + f'{{"model_a": {deep}\n'
        + lines(
            {"model_a": "x", "model_b": "y"},
            vote(model_a=5),
            vote(model_a="a\ud800b"),
            vote(tokens_a="lots"),
            vote(tokens_a=float("inf")),
            vote(winner=["model_a"]),
            vote(timestamp=True),
            vote(model_a="m" * 201),
            vote(draw_probability=0),
            vote(draw_probability=0.5, evaluation_order=1.5),
        )
    )
    read = read_votes(write(text), skip_bad=True)
    reasons = {reject.line: reject.reason for reject in read.rejects}

    assert read.table.num_rows == 1
    assert reasons.keys() == {2, 4, 5, *range(6, 16)}
    assert reasons[2].startswith("not valid JSON")
    assert reasons[4] == "not a JSON object"
    assert reasons[6] == "winner is missing"
    assert reasons[7] == "model_a is not text: 5"
    assert reasons[13] == "model_a is longer than 200 characters"
    assert reasons[14].startswith("draw_probability is not in (0, 1]")


def test_a_55k_row_needs_exactly_one_winner(write: Write) -> None:
    head = "model_a,model_b,winner_model_a,winner_model_b,winner_tie\n"
    read = read_votes(write(head + "x,y,1,0,0\nx,y,1,1,0\nx,y,0,0,0\nx,y,1,,0\n"), skip_bad=True)

    assert [reject.line for reject in read.rejects] == [3, 4, 5]
    assert read.rejects[0].reason == "unknown outcome '1/1/0'"


def test_a_misspelt_column_beside_the_right_one_is_left_out(write: Write) -> None:
    read = read_votes(write("model_a,model_b,winner,Winner\nx,y,tie,?\n"))

    assert read.table.column_names == ["model_a", "model_b", "winner"]


def test_a_rule_of_exclusion_is_a_short_label(write: Write) -> None:
    rules = ["bot", "r" * 200, "r" * 201, "a\tb", " ", "\u202egib"]
    read = read_votes(write(lines(*(vote(excluded=rule) for rule in rules))), skip_bad=True)

    assert read.rejects == (
        Reject(3, "excluded is longer than 200 characters"),
        Reject(4, "excluded holds a control character"),
        Reject(6, "excluded holds a control character"),
    )
    assert rows(read, "excluded") == [("bot",), ("r" * 200,), (None,)]


def test_as_many_rules_as_votes(write: Write) -> None:
    body = "".join(f"x,y,tie,rule {n}\n" for n in range(40_000))
    read = read_votes(write(f"model_a,model_b,winner,excluded\n{body}x,y,model_a,\ny,x,tie,\n"))
    counts = fit(Votes.from_arrow(read.table), RankingSpec(position=False)).counts

    assert (counts.counted, len(counts.excluded)) == (2, 40_000)


def test_a_parquet_row_is_named_by_its_number(tmp_path: Path) -> None:
    table = pa.table({"model_a": ["x", None], "model_b": ["y", "y"], "winner": ["tie", "tie"]})
    pq.write_table(table, tmp_path / "votes")
    read = read_votes(tmp_path / "votes", skip_bad=True)

    assert read.rejects == (Reject(2, "model_a is missing"),)


def test_bad_and_lost_rows_together_keep_their_lines(write: Write) -> None:
    body = "x,y,tie\nx,y\nx,x,tie\nx,y\nx,x,tie\nx,y,tie\nx,x,tie\n"
    read = read_votes(write("model_a,model_b,winner\n" + body), skip_bad=True)

    assert [reject.line for reject in read.rejects] == [3, 4, 5, 6, 8]
    assert read.table.num_rows == 2


HEADS = [
    b"model_a,model_b,winner,tokens_a,timestamp,is_code\n",
    b'{"model_a": "x", ',
    b"[{",
    b"PAR1",
]
BYTES = st.binary(max_size=60) | st.text(
    st.sampled_from('xy,\n"{}[]:019.-eE model_a tie\ud800é'), max_size=60
).map(lambda text: text.encode("utf-8", "surrogatepass"))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(HEADS), st.lists(BYTES, max_size=4), st.booleans())
def test_whatever_a_file_holds_only_our_error_comes_of_it(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, tail: list[bytes], skip: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "anything"
    path.write_bytes(head + b"\n".join(tail))
    try:
        read = read_votes(path, skip_bad=skip)
    except VoteFileError as error:
        assert str(path) in str(error)
    else:
        assert len(Votes.from_arrow(read.table)) == read.table.num_rows


# -- Files that are none ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"model_a,model_b,winner\n", "holds no votes"),
        (b"[]", "no accepted schema"),
        (b"a,b,c\n1,2,3\n", "left_right: left, right, winner"),
        (b'{"models": ["x"]}', "no accepted schema"),
        (b"model_a,model_b,winner\nx,\xff,tie\n", "is not UTF-8"),
        ("model_a,model_b,winner\nx,y,tie\n".encode("utf-16"), "is not UTF-8"),
        (b'{"model_a": "\xff"}', "is not UTF-8"),
        (b"PAR1 and nothing else", "is damaged"),
        (b'[{"model_a": "x", "model_b": "y", "winner": "tie"}', "breaks off after line 1"),
        (
            b'[{"model_a": "x", "model_b": "y", "winner": "tie"},\n oops]',
            "line 2, column 2 is not valid JSON",
        ),
        (b'[{"model_a": "x", "model_b": "y", "winner": "tie"},\n', "breaks off after line 2"),
        (
            b'[{"model_a": "x", "model_b": "y", "winner": "tie"}\n {}]',
            "line 2, column 2 is not valid JSON (a comma or a bracket is missing)",
        ),
        (b'[{"model_a": "x", "model_b": "y", "winner": "tie"}]\n[]', "line 2, column 1"),
        (b"model_a,model_a,model_b,winner\nx,x,y,tie\n", "two columns named 'model_a'"),
        (b"model_a, model_b,winner\nx,y,tie\n", "column ' model_b' reads almost like 'model_b'"),
        (b"Left,Right,Winner\nx,y,left\n", "column 'Left' reads almost like 'left'"),
        (b"model_a,model_b,winner,Voter\nx,y,tie,u\n", "column 'Voter' reads almost like"),
        (b'{"model_a": "x", "Model_B ": "y", "winner": "tie"}', "column 'Model_B ' reads"),
        (b"q" * 200_000, "no accepted schema"),
        (b"model_a,model_b,winner\nx,x,tie\n", "malformed"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(write: Write, content: bytes, message: str) -> None:
    with pytest.raises(VoteFileError) as caught:
        read_votes(write(content))

    assert message in str(caught.value)
    assert "votes.csv" in str(caught.value)


def test_a_file_of_nothing_but_bad_rows_is_refused_even_so(write: Write) -> None:
    with pytest.raises(VoteFileError, match="none of its 1 rows is a vote"):
        read_votes(write("model_a,model_b,winner\nx,x,tie\n"), skip_bad=True)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(VoteFileError, match="No such file"):
        read_votes(tmp_path / "nothing.csv")
    with pytest.raises(VoteFileError, match="is a folder"):
        read_votes(tmp_path)


def test_writing_where_nothing_can_be_written(tmp_path: Path, write: Write) -> None:
    table = read_votes(write("model_a,model_b,winner\nx,y,tie\n")).table
    with pytest.raises(VoteFileError, match="cannot be written"):
        write_votes(table, tmp_path / "no folder" / "votes.parquet")


def test_a_byte_order_mark_is_no_part_of_the_first_column(write: Write) -> None:
    for text in ("model_a,model_b,winner\nx,y,tie\n", lines(vote()), json.dumps([vote()])):
        assert read_votes(write(b"\xef\xbb\xbf" + text.encode())).table.num_rows == 1
