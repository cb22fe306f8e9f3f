"""Votes cast here, as the vote table's columns and as conversations.

Rows are asked for by ranges of ids, each a small query by index, so that memory stays flat and
other queries may run in between.
"""

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.crypto import salted_hmac

from arena.battles.categorising import tags_of_votes
from arena.battles.models import Mode, Pacing
from arena.battles.selectors import turns_before_votes, votes_between
from arena.battles.tagging import CODE, CREATIVE, CRITERIA, INSTRUCTIONS, MATH
from arena.catalog.models import Revision
from arena.core.arrow import arrow_table
from ranking.covariates import METRICS, TIMINGS
from ranking.tables import CATEGORY, COLUMNS

# Ids at once, alone and with their texts.
VOTES_AT_ONCE = 65_536
TEXTS_AT_ONCE = 4_096

# What is asked of the database, under which name, and of which type.
_ASKED: dict[str, tuple[str, pa.DataType]] = {
    "vote": ("pk", pa.int64()),
    "outcome": ("outcome", pa.string()),
    "timestamp": ("created_at", COLUMNS["timestamp"]),
    "voter": ("voter__pseudonym", pa.string()),
    "revision_a": ("battle__revision_a_id", pa.int64()),
    "revision_b": ("battle__revision_b_id", pa.int64()),
    "mode": ("battle__mode", pa.string()),
    "pacing": ("battle__pacing", pa.string()),
    "draw_probability": ("battle__draw_probability", pa.float64()),
    "language": ("battle__language", pa.string()),
    "prompt_id": ("battle__recorded_prompt__slug", pa.string()),
    "categories": ("categories_text", pa.string()),
    "battle": ("battle_text", pa.string()),
    "turn": ("turn__number", pa.int64()),
    "claims_a": ("claims_a", pa.int8()),
    "claims_b": ("claims_b", pa.int8()),
    **{f"{name}_{side}": (f"{side}__{name}", pa.float64()) for name in METRICS for side in "ab"},
    **{
        f"{name}_{side}": (f"{side}__{name}_seconds", pa.float64())
        for name in TIMINGS
        for side in "ab"
    },
}
_TEXTS: dict[str, tuple[str, pa.DataType]] = {
    "salt": ("turn__salt", pa.string()),
    "prompt": ("turn__prompt", pa.string()),
    "text_a": ("a__text", pa.string()),
    "text_b": ("b__text", pa.string()),
}
_EARLIER: dict[str, tuple[str, pa.DataType]] = {
    "vote": ("battle__vote__pk", pa.int64()),
    "turn": ("number", pa.int64()),
    "prompt": ("prompt", pa.string()),
    "text_a": ("a__text", pa.string()),
    "text_b": ("b__text", pa.string()),
}
_DIGESTS = ("answer_sha256_a", "answer_sha256_b")
# Both without tags, of which each file has those that its votes may bear.
SEALED_SCHEMA = pa.schema(COLUMNS.items())
# Without the digests of texts, for which every text would have to be read.
NATIVE_SCHEMA = pa.schema([field for field in SEALED_SCHEMA if field.name not in _DIGESTS])

# Of the turn voted on, where every other tag is of the first prompt.
MULTI_TURN = f"{CATEGORY}multi_turn"
# The field's names, so that votes cast here and imported ones are in one category.
_OF_THE_FIELD = {
    CREATIVE: "creative_writing_v0.1.creative_writing",
    MATH: "math_v0.1.math",
    INSTRUCTIONS: "if_v0.1.if",
    **{name: f"criteria_v0.1.{name}" for name in CRITERIA},
}

MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
TEXT_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("salt", pa.string()),
        ("conversation_a", pa.list_(MESSAGE)),
        ("conversation_b", pa.list_(MESSAGE)),
    ]
)


@dataclass(frozen=True)
class Cast:
    """Votes of a range of ids as the database has them, with their texts."""

    votes: pa.Table
    earlier: pa.Table
    """Turns before those voted on."""


class Native:
    """From rows of the database to votes at rest. Only its making asks the database."""

    def __init__(self) -> None:
        rows = list(Revision.objects.order_by("pk").values_list("pk", "name", "identity"))
        self.keys = np.array([row[0] for row in rows], dtype=np.int64)
        self.names = pa.array([row[1] for row in rows], pa.string())
        self.identities = pa.array([row[2] for row in rows], pa.string())
        self.session_key = salted_hmac("arena.integrity.session", "", algorithm="sha256").digest()

    def codes(self, keys: pa.Array) -> pa.Array:
        return pa.array(np.searchsorted(self.keys, keys.to_numpy()).astype(np.int32))

    def table(self, rows: pa.Table, schema: pa.Schema) -> pa.Table:
        """`rows` as `schema`: SEALED_SCHEMA, or NATIVE_SCHEMA where they lack texts, and tags."""
        raw = {name: rows[name].combine_chunks() for name in rows.column_names}
        a, b = self.codes(raw["revision_a"]), self.codes(raw["revision_b"])
        columns = {
            **raw,
            "id": ids_of(raw["vote"]),
            "model_a": pa.DictionaryArray.from_arrays(a, self.names),
            "model_b": pa.DictionaryArray.from_arrays(b, self.names),
            "revision_a": self.identities.take(a),
            "revision_b": self.identities.take(b),
            "winner": raw["outcome"],
            "shown_first": pa.repeat("model_a", len(a)),
            **felt_timings(raw),
            "language": pc.if_else(pc.equal(raw["language"], ""), None, raw["language"]),
            "evaluation_session_id": sessions_of(raw["battle"], self.session_key),
            "evaluation_order": raw["turn"],
            "prompt_id": prompts_of(raw["prompt_id"], self.session_key),
            MULTI_TURN: pc.greater(raw["turn"], 1),
            "flags": flags_of(raw),
            "excluded": structural_rules(raw),
        }
        if "salt" in raw:
            columns |= {f"answer_sha256_{side}": digests_of(raw, side) for side in "ab"}
        columns |= tags_in(
            raw["categories"], [name for name in schema.names if name not in columns]
        )
        arrays = [as_type(columns[field.name], field.type) for field in schema]
        return pa.Table.from_arrays(arrays, schema=schema)


def native_tables(after: int, last: int, schema: pa.Schema) -> Iterator[pa.Table]:
    """Votes with ids in (after, last] by id, as `schema`: NATIVE_SCHEMA with their tags."""
    native = Native()
    for span in spans(after, last, VOTES_AT_ONCE):
        yield native.table(asked(votes_between(*span), _ASKED), schema)


def with_tags(schema: pa.Schema, after: int, last: int) -> pa.Schema:
    """The schema and the tags that votes with ids in (after, last] may bear, sorted."""
    tags = {MULTI_TURN, *map(tag_column, tags_of_votes(after, last))} - {"is_code"}
    return pa.schema([*schema, *(pa.field(name, pa.bool_()) for name in sorted(tags))])


def tag_column(tag: str) -> str:
    """The column of votes at rest that says which votes bear a battle's tag."""
    return "is_code" if tag == CODE else CATEGORY + _OF_THE_FIELD.get(tag, tag)


def casts(after: int, last: int) -> Iterator[Cast]:
    """Votes with ids in (after, last] by id, with their texts."""
    for span in spans(after, last, TEXTS_AT_ONCE):
        votes = asked(votes_between(*span), {**_ASKED, **_TEXTS})
        earlier = schema_of(_EARLIER).empty_table()
        if pc.any(pc.greater(votes["turn"], 1)).as_py():
            earlier = asked(turns_before_votes(*span), _EARLIER)
        yield Cast(votes, earlier)


def spans(after: int, last: int, size: int) -> Iterator[tuple[int, int]]:
    for start in range(after, last, size):
        yield start, min(start + size, last)


def asked(rows: Any, columns: dict[str, tuple[str, pa.DataType]]) -> pa.Table:
    names = (name for name, _ in columns.values())
    return arrow_table(rows.values_list(*names), schema_of(columns))


def schema_of(columns: dict[str, tuple[str, pa.DataType]]) -> pa.Schema:
    return pa.schema([(name, kind) for name, (_, kind) in columns.items()])


def felt_timings(raw: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Only what a voter could feel counts: true speed, and written while they watched."""
    felt = pc.and_(
        pc.equal(raw["pacing"], Pacing.NATIVE.value),
        pc.not_equal(raw["mode"], Mode.RECORDED.value),
    )
    nothing = pa.scalar(None, pa.float64())
    names = [f"{name}_{side}" for name in TIMINGS for side in "ab"]
    return {name: pc.if_else(felt, raw[name], nothing) for name in names}


def as_type(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    if pa.types.is_dictionary(kind) and not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    return column.cast(kind)


def ids_of(votes: pa.Array) -> pa.Array:
    """How votes cast here are named wherever they lie."""
    return pc.binary_join_element_wise("n", votes.cast(pa.string()), ":")


def sessions_of(battles: pa.Array, key: bytes) -> pa.Array:
    """Keyed digests: whoever knows a battle's address does not know its vote by it."""
    digests = [
        hashlib.blake2b(battle.replace("-", "").encode(), key=key, digest_size=16).hexdigest()
        for battle in battles.to_pylist()
    ]
    return pa.array(digests, pa.string())


def prompts_of(slugs: pa.Array, key: bytes) -> pa.Array:
    """Keyed digests, null where a person wrote the prompt: a slug often says what is asked."""
    kinds = slugs.dictionary_encode()
    digests = [
        hashlib.blake2b(f"prompt {slug}".encode(), key=key, digest_size=8).hexdigest()
        for slug in kinds.dictionary.to_pylist()
    ]
    return pa.array(digests, pa.string()).take(kinds.indices)


def tags_in(categories: pa.Array, columns: Collection[str]) -> dict[str, pa.Array]:
    """These columns of tags: true, false, or null where it is not known.

    Battles have few different sets of tags, so each set is read once.
    """
    kinds = categories.dictionary_encode()
    sets = [
        {tag_column(tag): has for tag, has in json.loads(text).items()}
        for text in kinds.dictionary.to_pylist()
    ]
    return {
        name: pa.array([tags.get(name) for tags in sets], pa.bool_()).take(kinds.indices)
        for name in columns
    }


def flags_of(raw: dict[str, pa.Array]) -> pa.Array:
    words = [
        pc.if_else(pc.equal(raw[f"claims_{side}"], 1), f"identity_{side}", "") for side in "ab"
    ]
    joined = pc.utf8_trim_whitespace(pc.binary_join_element_wise(*words, " "))
    return pc.if_else(pc.equal(joined, ""), None, joined)


def structural_rules(raw: dict[str, pa.Array]) -> pa.Array:
    """The rule by which votes of some kinds of battle never count."""
    same = pc.if_else(pc.equal(raw["revision_a"], raw["revision_b"]), "same_revision", None)
    return pc.if_else(pc.equal(raw["mode"], Mode.NAMED.value), "named", same)


def digests_of(raw: dict[str, pa.Array], side: str) -> pa.Array:
    """SHA-256 of salt and text, null where the text is erased."""
    salts = raw["salt"].cast(pa.binary()).to_pylist()
    texts = raw[f"text_{side}"].cast(pa.binary()).to_pylist()
    digests = [
        hashlib.sha256(salt + text).hexdigest() if salt and text is not None else None
        for salt, text in zip(salts, texts, strict=True)
    ]
    return pa.array(digests, pa.string())


# -- Texts -----------------------------------------------------------------------------------


def conversations(cast: Cast) -> pa.Table:
    """Conversations up to the turn voted on, as TEXT_SCHEMA; none where texts are erased."""
    kept = cast.votes.filter(pc.not_equal(cast.votes["salt"], ""))
    turns = kept.select(cast.earlier.column_names)
    if cast.earlier.num_rows:
        earlier = cast.earlier.filter(pc.is_in(cast.earlier["vote"], value_set=kept["vote"]))
        turns = pa.concat_tables([earlier, turns])
        turns = turns.sort_by([("vote", "ascending"), ("turn", "ascending")])
    starts = np.flatnonzero(np.diff(turns["vote"].to_numpy(), prepend=-1))
    # Each turn is two messages.
    ends = pa.array(2 * np.append(starts, turns.num_rows).astype(np.int32))
    talks = [pa.ListArray.from_arrays(ends, messages(turns, side)) for side in "ab"]
    ids = ids_of(kept["vote"].combine_chunks())
    return pa.Table.from_arrays([ids, kept["salt"], *talks], schema=TEXT_SCHEMA)


def messages(turns: pa.Table, side: str) -> pa.StructArray:
    """Prompt and answer of each turn, one after the other."""
    n = turns.num_rows
    order = pa.array(np.arange(2 * n).reshape(2, n).T.ravel())
    prompts, answers = (turns[name].combine_chunks() for name in ("prompt", f"text_{side}"))
    content = pa.concat_arrays([prompts, answers]).take(order)
    role = pa.array(["user", "assistant"] * n, pa.string())
    return pa.StructArray.from_arrays([role, content], fields=list(MESSAGE))
