"""Every constructor refuses what no ranking can use, and says where and what to do."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ranking import RankingSpec, SpecError, Votes, VotesError, fit

LABELS = ["x", "y", "z"]


def made(**changes: Any) -> Votes:
    columns: dict[str, Any] = {
        "model_a": ["x", "y", "z"],
        "model_b": ["y", "z", "x"],
        "winner": ["model_a", "tie", "both_bad"],
    }
    return Votes.from_columns(**{**columns, **changes})


def test_columns_become_ids() -> None:
    votes = made(voter=["u", None, "u"], shown_first=["model_a", "model_b", None])

    assert votes.contestants == ("x", "y", "z")
    assert votes.a.tolist() == [0, 1, 2]
    assert votes.b.tolist() == [1, 2, 0]
    assert votes.outcome.tolist() == [0, 2, 3]
    assert votes.voter is not None
    assert votes.voter.tolist() == [0, -1, 0]
    assert votes.shown_first is not None
    assert votes.shown_first.tolist() == [1, -1, 1]


def test_ids_and_labels_give_the_same_votes() -> None:
    coded = Votes.from_columns(
        np.array([0, 1, 2]), np.array([1, 2, 0]), np.array([0, 2, 3]), contestants=LABELS
    )

    assert coded.a.tolist() == made().a.tolist()
    assert coded.contestants == made().contestants


def test_columns_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="read-only"):
        made().a[0] = 1


def test_voters_may_be_any_integers() -> None:
    votes = made(voter=np.array([10**12, -1, 10**12]))

    assert votes.voter is not None
    assert votes.voter.tolist()[0] == votes.voter.tolist()[2] >= 0
    assert votes.voter.tolist()[1] == -1


BAD: list[tuple[str, dict[str, Any], str, int | None]] = [
    ("an unknown outcome", {"winner": ["model_a", "draw", "tie"]}, "winner", 1),
    ("an outcome code out of range", {"winner": np.array([0, 1, 4])}, "winner", 2),
    ("a missing outcome", {"winner": ["model_a", None, "tie"]}, "winner", 1),
    ("self-play", {"model_b": ["y", "y", "x"]}, "model_b", 1),
    ("too few values", {"winner": ["model_a"]}, "winner", None),
    ("a missing name", {"model_a": ["x", None, "z"]}, "model_a", 1),
    ("a number for a name", {"model_a": ["x", 7, "z"]}, "model_a", 1),
    ("an empty name", {"model_a": ["x", " ", "z"]}, "contestants", 0),
    ("a label not listed", {"contestants": ["x", "y"]}, "model_a", 2),
    ("a label listed twice", {"contestants": ["x", "y", "z", "x"]}, "contestants", 3),
    ("an unknown side", {"shown_first": ["left", "model_a", None]}, "shown_first", 0),
    ("a side of 0", {"shown_first": np.array([1, 0, -1])}, "shown_first", 1),
    ("a NaN voter", {"voter": ["u", float("nan"), "v"]}, "voter", 1),
    ("a negative count", {"features": {"tokens": ([1, 2, 3], [1, -2, 3])}}, "tokens_b", 1),
    ("an infinite count", {"features": {"tokens": ([1, 2, np.inf], [1, 2, 3])}}, "tokens_a", 2),
    ("a short feature", {"features": {"tokens": ([1, 2], [1, 2, 3])}}, "tokens_a", None),
    (
        "a table for a feature",
        {"features": {"tokens": (np.ones((3, 2)), [1, 2, 3])}},
        "tokens_a",
        None,
    ),
    ("a negative weight", {"weight": [1, -1, 1]}, "weight", 1),
    ("a zero weight", {"weight": [1, 1, 0]}, "weight", 2),
    ("a NaN weight", {"weight": [float("nan"), 1, 1]}, "weight", 0),
]


@pytest.mark.parametrize(
    ("changes", "column", "row"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_columns_are_refused_with_their_place(
    changes: dict[str, Any], column: str, row: int | None
) -> None:
    with pytest.raises(VotesError) as caught:
        made(**changes)

    assert (caught.value.column, caught.value.row) == (column, row)
    assert caught.value.remedy in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Votes.from_columns([], [], []),
        lambda: Votes.from_arrow(pa.table({"model_a": [], "model_b": [], "winner": []})),
    ],
)
def test_no_votes_are_refused(make: Callable[[], Votes]) -> None:
    with pytest.raises(VotesError, match="no votes"):
        make()


def test_floating_ids_are_refused() -> None:
    ids = np.array([0.0, 1.0, 2.0])
    with pytest.raises(VotesError, match="whole-number ids"):
        Votes(contestants=("x", "y", "z"), a=ids, b=ids[::-1], outcome=np.zeros(3, dtype=int))


def test_ids_without_labels_are_refused() -> None:
    with pytest.raises(VotesError, match="ids without labels"):
        Votes.from_columns(np.array([0]), np.array([1]), np.array([0]))


def test_an_excluded_vote_may_set_a_contestant_against_itself() -> None:
    votes = made(model_b=["y", "y", "x"], excluded=[None, "same revision", None])
    board = fit(votes, RankingSpec(position=False))

    assert dict(board.counts.excluded) == {"same revision": 1}


def test_the_counts_add_up() -> None:
    nan = float("nan")
    votes = Votes.from_columns(
        ["x", "y", "x", "y", "x", "x", "u"],
        ["y", "x", "y", "x", "y", "y", "x"],
        ["model_a", "model_a", "tie", "both_bad", "tie", "tie", "model_a"],
        excluded=[None, None, "bot", None, None, None, None],
        features={"tokens": ([5, 4, 3, 2, nan, 1, 1], [1, 2, 3, 4, 5, nan, 2])},
    )
    spec = RankingSpec(position=False, complete_for=("length",), both_bad="drop")
    counts = fit(votes, spec).counts

    assert (counts.read, dict(counts.excluded)) == (7, {"bot": 1})
    assert (counts.missing, counts.both_bad, counts.unplaced, counts.counted) == (2, 1, 1, 2)


def test_a_control_that_votes_do_not_carry_is_refused() -> None:
    with pytest.raises(SpecError, match="carry no 'tokens'"):
        fit(made(), RankingSpec(controls=("length",)))


def table(**changes: Any) -> pa.Table:
    columns = {"model_a": ["x", "y"], "model_b": ["y", "x"], "winner": ["model_a", "tie"]}
    return pa.table({**columns, **changes})


def test_arrow_dictionaries_and_pieces_are_read_alike() -> None:
    one = table().set_column(0, "model_a", pa.array(["x", "y"]).dictionary_encode())
    two = table().set_column(0, "model_a", pa.array(["z", "y"]).dictionary_encode())
    votes = Votes.from_arrow(pa.concat_tables([one, two]))

    assert votes.contestants == ("x", "y", "z")
    assert [votes.contestants[i] for i in votes.a] == ["x", "y", "z", "y"]


def test_labels_that_no_row_has_are_no_contestants() -> None:
    whole = table(model_a=["x", "other"]).set_column(
        0, "model_a", pa.array(["x", "other"]).dictionary_encode()
    )

    assert Votes.from_arrow(whole.slice(0, 1)).contestants == ("x", "y")


def test_timings_of_equally_paced_votes_are_equal() -> None:
    votes = Votes.from_arrow(
        table(pacing=["equal", "native"], duration_a=[None, 3.0], duration_b=[None, 4.0])
    )

    assert [column.tolist() for column in votes.features["duration"]] == [[0.0, 3.0], [0.0, 4.0]]


def test_half_a_pair_of_features_is_missing() -> None:
    votes = Votes.from_arrow(table(tokens_a=[1.0, 2.0]))

    assert np.isnan(votes.features["tokens"][1]).all()


@pytest.mark.parametrize(
    ("changes", "column", "row"),
    [
        ({"winner": ["model_a", "draw"]}, "winner", 1),
        ({"winner": ["model_a", None]}, "winner", 1),
        ({"model_a": ["x", None]}, "model_a", 1),
        ({"model_b": ["x", "x"]}, "model_b", 0),
        ({"shown_first": ["model_a", "left"]}, "shown_first", 1),
    ],
)
def test_bad_tables_are_refused_with_their_place(
    changes: dict[str, Any], column: str, row: int
) -> None:
    with pytest.raises(VotesError) as caught:
        Votes.from_arrow(table(**changes))

    assert (caught.value.column, caught.value.row) == (column, row)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("model_a", [["x"], ["y"]]),
        ("winner", pa.DictionaryArray.from_arrays([0, 0], pa.array([["x"]]))),
        ("voter", [{"id": 1}, None]),
        ("excluded", [[], None]),
        ("tokens_a", ["many", "few"]),
        ("pacing", [["equal"], None]),
    ],
)
def test_a_table_of_other_types_is_refused_by_its_column(name: str, values: Any) -> None:
    with pytest.raises(VotesError, match="Convert it") as caught:
        Votes.from_arrow(table(duration_a=[1.0, 2.0], **{name: values}))

    assert caught.value.column == name


def test_there_may_be_as_many_rules_as_votes() -> None:
    n = 40_000
    votes = Votes.from_columns(
        ["x"] * n, ["y"] * n, ["tie"] * n, excluded=[f"rule {k}" for k in range(n)]
    )

    assert votes.excluded is not None
    assert votes.excluded.max() == n - 1


def test_a_table_without_winners_is_refused() -> None:
    with pytest.raises(VotesError, match="'winner': is absent"):
        Votes.from_arrow(pa.table({"model_a": ["x"], "model_b": ["y"]}))
