"""The parts of a publication, each against the plain function on the same votes."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ranking import (
    BoardState,
    RankingSpec,
    Votes,
    control_path,
    fit,
    fragility,
    movement_ledger,
    pairwise_contrasts,
    rigging_cost,
)
from ranking.analysis import Before, Sources, parts, short_names, sources_of
from ranking.differences import first_difference
from ranking.movement import raw_of, style_movement
from ranking.publication import publication
from ranking.snapshots import canonical
from tests.ranking.archives import vote_table
from tests.ranking.making import plain, simulated

SEARCH = ("iterations", "gradient_norm", "step", "certificate")
"""Figures of a search, which depend on where it began."""


def sources_with(seed: int, votes: int = 900, **changes: Any) -> Sources:
    made = simulated(seed, votes)
    rng = np.random.default_rng(seed)
    timed = rng.random(votes) < 0.7
    features = dict(made.features)
    for name in ("emoji", "duration"):
        columns = [rng.lognormal(1.0, 0.5, votes) for _ in "ab"]
        kept = timed if name == "duration" else np.ones(votes, dtype=bool)
        features[name] = tuple(np.where(kept, column, np.nan) for column in columns)
    made = replace(made, features=features, draw_probability=rng.uniform(0.1, 1.0, votes))
    tags = {"rhyme": rng.random(votes) < 0.5, "nothing": np.zeros(votes, dtype=bool)}
    made_of: dict[str, Any] = {"claimed": rng.random(votes) < 0.02, "categories": tags}
    return Sources(made, **(made_of | changes))


def made_of(sources: Sources, before: Before | None = None) -> dict[str, dict[str, Any]]:
    made = list(parts(sources, publication(sources.votes), before))
    assert len(dict(made)) == len(made)
    return dict(made)


def of_votes(votes: Votes) -> dict[str, dict[str, Any]]:
    return made_of(Sources(votes))


@pytest.fixture(scope="module")
def sources() -> Sources:
    return sources_with(1)


@pytest.fixture(scope="module")
def made(sources: Sources) -> dict[str, dict[str, Any]]:
    return made_of(sources)


def same(part: dict[str, Any], other: dict[str, Any]) -> None:
    """Nothing differs but the figures of the search."""
    assert_alike(
        *(
            {key: value for key, value in each.items() if key not in (*SEARCH, "movements")}
            for each in (part, other)
        )
    )


def assert_alike(part: Any, other: Any) -> None:
    """Nothing differs by more than what two machines may differ by."""
    shown = [{"value": json.loads(canonical(each))} for each in (part, other)]
    assert first_difference(*shown) is None


# -- What is there ---------------------------------------------------------------------------


def test_it_works(made: dict[str, dict[str, Any]]) -> None:
    style = ("length", "markdown", "emoji")
    boards = [name for name in made if name.startswith("board/")]

    assert len(boards) == 2 * 2 ** len(style)
    assert {f"board/{name}" for name in ("none", *style, "latency")} < set(boards)
    assert "board/length+markdown+emoji+latency" in boards
    assert {"path", "sure", "fragility", "category/rhyme/raw", "variant/no_identity/raw"} < set(
        made
    )
    assert not any("error" in part for part in made.values())
    assert all(canonical(part) for part in made.values())


def test_the_same_votes_give_the_same_text(
    sources: Sources, made: dict[str, dict[str, Any]]
) -> None:
    again = made_of(sources)

    assert list(again) == list(made)
    assert {name: canonical(part) for name, part in again.items()} == {
        name: canonical(part) for name, part in made.items()
    }


def test_names_are_told_before_the_work() -> None:
    votes = plain("A>B", "B>A", "A>B")
    told: list[str] = []
    for _ in parts(Sources(votes), publication(votes), tell=told.append):
        pass

    assert told[0] == "boards"
    assert told[-1] == "table of categories"


# -- Against the plain functions -------------------------------------------------------------


def test_the_boards_of_the_publication_are_two_of_the_subsets(
    sources: Sources, made: dict[str, dict[str, Any]]
) -> None:
    published = publication(sources.votes)
    assert published.controlled is not None

    same(made["board/none"], published.raw.to_dict())
    # It names the votes that it counts, which those of its own controls are.
    every, expected = made["board/length+markdown+emoji"], published.controlled.to_dict()
    assert RankingSpec.from_dict(every["spec"]).required == published.controlled.spec.required
    same(every | {key: expected[key] for key in ("spec", "spec_digest")}, expected)
    moved = made["board/length+markdown+emoji"]["movements"]
    assert_alike(moved, [asdict(each) for each in published.movements])


@pytest.mark.parametrize("on", ["length", "markdown+emoji", "latency", "length+latency"])
def test_a_subset_is_a_fit(sources: Sources, made: dict[str, dict[str, Any]], on: str) -> None:
    part = made[f"board/{on}"]
    spec = RankingSpec.from_dict(part["spec"])
    moved = style_movement(sources.votes, spec)

    same(part, moved.controlled.to_dict())
    assert_alike(part["movements"], [asdict(each) for each in moved.movements])


def test_boards_with_latency_rest_on_the_votes_that_carry_it(
    made: dict[str, dict[str, Any]],
) -> None:
    counted = {name: part["counts"]["counted"] for name, part in made.items() if "board/" in name}
    timed = {votes for name, votes in counted.items() if "latency" in name}
    others = {votes for name, votes in counted.items() if "latency" not in name}

    assert len(timed) == len(others) == 1
    assert max(timed) < max(others)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("davidson", {"likelihood": "davidson"}),
        ("rao_kupper", {"likelihood": "rao_kupper"}),
        ("four_outcome", {"likelihood": "four_outcome"}),
        ("no_both_bad", {"both_bad": "drop"}),
        ("inverse_pair", {"weights": "inverse_pair"}),
        ("draw_probability", {"weights": "draw_probability"}),
    ],
)
def test_a_variant_is_a_fit_of_another_spec(
    sources: Sources, made: dict[str, dict[str, Any]], name: str, changes: dict[str, Any]
) -> None:
    spec = replace(publication(sources.votes).default.spec, scales=None, **changes)

    same(made[f"variant/{name}/controlled"], fit(sources.votes, spec).to_dict())
    same(made[f"variant/{name}/raw"], fit(sources.votes, raw_of(spec)).to_dict())


@pytest.mark.parametrize("name", ["variant/no_identity", "category/rhyme"])
def test_some_of_the_votes_are_fitted_like_all(
    sources: Sources, made: dict[str, dict[str, Any]], name: str
) -> None:
    """Leaving votes out of a publication and publishing the others alone is one."""
    claimed, inside = sources.claimed, sources.categories["rhyme"]
    assert claimed is not None
    out = claimed if name.startswith("variant") else ~inside
    votes = replace(sources.votes, excluded=np.where(out, 0, -1), rules=("out",))
    published = publication(votes)

    for board, expected in published.boards.items():
        part = dict(made[f"{name}/{board}"])
        (rule,) = part["counts"]["excluded"]
        assert part["counts"]["excluded"][rule] == int(out.sum())
        counts = part["counts"] | {"excluded": {"out": int(out.sum())}}
        same(part | {"counts": counts}, expected.to_dict())


def test_the_path_is_that_of_the_default_board(
    sources: Sources, made: dict[str, dict[str, Any]]
) -> None:
    walked = control_path(sources.votes, publication(sources.votes).default.spec)
    part, grid = made["path"], walked.grid()

    assert part["attributions"] == [each.to_dict() for each in walked.attributions]
    assert part["strengths"] == [point.strength for point in grid]
    last = {standing.contestant: standing for standing in grid[-1].standings}
    for k, name in enumerate(part["contestants"]):
        assert part["ratings"][-1][k] == last[name].rating
        assert part["ranks"][-1][k] == last[name].rank


def test_chances_are_those_of_the_contrasts(
    sources: Sources, made: dict[str, dict[str, Any]]
) -> None:
    found = pairwise_contrasts(sources.votes, publication(sources.votes).default.spec)
    part, m = made["sure"], len(found.chances)

    assert part["contestants"] == [s.contestant for s in found.board.standings]
    assert [row["best"] for row in part["chances"]] == [each.best for each in found.chances]
    for i in range(m):
        assert part["better"][i] == pytest.approx(found.probability[i, i + 1 :], abs=1e-6)


def test_fragility_is_that_of_neighbours(sources: Sources, made: dict[str, dict[str, Any]]) -> None:
    board = publication(sources.votes).default
    names = [standing.contestant for standing in board.standings]
    part = made["fragility"]

    for unit in ("vote", "voter"):
        shown = [row for row in part["pairs"] if row["unit"] == unit]
        for row, entry in zip(shown, fragility(sources.votes, board.spec, unit=unit), strict=True):
            expected = entry.to_dict()
            gone = expected.pop("removed")
            assert row["votes"] == len(gone)
            assert {key: row[key] for key in expected if key != "voters"} == {
                key: value for key, value in expected.items() if key != "voters"
            }
    assert part["rigging"] == [
        rigging_cost(sources.votes, board.spec, contestant=name).to_dict() for name in names[1:]
    ]


def test_ledgers_are_between_the_default_boards() -> None:
    whole, now = vote_table(3, votes=900), {"family": "model 0", "model 2": "model 2"}
    was = now | {"family": "model 1"}
    sources, earlier = sources_of(whole, now), Votes.from_arrow(whole.slice(0, 700))
    before = Before(earlier, publication(earlier).default.spec, was)
    made = made_of(sources, before)
    spec = publication(sources.votes).default.spec

    for rows, places in (("revisions", (None, None)), ("families", (was, now))):
        states = (
            BoardState(before.votes, before.spec, places[0]),
            BoardState(sources.votes, spec, places[1]),
        )
        assert made[f"ledger/{rows}"] == movement_ledger(*states).to_dict()
    causes = [cause["cause"] for cause in made["ledger/families"]["causes"]]
    assert causes == ["V", "S"]


# -- What is lacking is absent ---------------------------------------------------------------


ALWAYS = {"contestant", "field", "method"}
"""Kinds of parts that any counted vote gives."""


def kinds(made: dict[str, dict[str, Any]]) -> set[str]:
    return {name.partition("/")[0] for name in made}


def test_votes_without_style_have_one_board() -> None:
    made = of_votes(replace(simulated(4), features={}))

    assert kinds(made) == {"variant", "sure", "fragility"} | ALWAYS
    assert not any(name.endswith("/controlled") for name in made)


def test_votes_without_voters_are_taken_out_one_by_one() -> None:
    made = of_votes(replace(simulated(4), voter=None))

    assert {row["unit"] for row in made["fragility"]["pairs"]} == {"vote"}
    assert {row["voters"] for row in made["fragility"]["pairs"]} == {None}


def test_variants_need_what_they_are_about() -> None:
    votes = simulated(4)
    made = of_votes(replace(votes, outcome=np.minimum(votes.outcome, 2)))
    there = {name.split("/")[1] for name in made if name.startswith("variant/")}

    assert there == {"davidson", "rao_kupper", "four_outcome", "inverse_pair"}
    unclaimed = made_of(sources_with(4, claimed=np.zeros(900, dtype=bool)))
    assert "variant/no_identity/raw" not in unclaimed
    assert "variant/draw_probability/raw" in unclaimed


def test_a_category_without_counted_votes_is_none() -> None:
    sources = sources_with(5)
    out = np.where(sources.categories["rhyme"], 0, -1)
    sources = replace(sources, votes=replace(sources.votes, excluded=out, rules=("robot",)))

    assert "category" not in kinds(made_of(sources))


def test_a_category_too_small_for_style_has_a_raw_board_and_the_reason() -> None:
    sources = sources_with(6)
    votes = sources.votes
    few = np.zeros(len(votes), dtype=bool)
    first = (votes.a == 0) & (votes.b == 1)
    for outcome in (0, 1):
        few[np.flatnonzero(first & (votes.outcome == outcome))[:2]] = True
    made = made_of(replace(sources, categories={"few": few}))

    assert "error" in made["category/few/controlled"]
    assert len(made["category/few/raw"]["standings"]) == 2


@pytest.mark.parametrize(
    "votes",
    [
        plain("A>B"),
        plain("A>B", "A>B", "B>C"),
        plain("A>B", "C>D"),
    ],
    ids=["one vote", "nobody twice", "two groups"],
)
def test_where_nobody_is_placed_nothing_is_sure(votes: Votes) -> None:
    made = of_votes(votes)

    assert kinds(made) <= {"variant"} | ALWAYS
    assert all(not part.get("standings") for part in made.values())


@pytest.mark.parametrize(
    "votes",
    [
        plain(*["A=B"] * 4, *["B=C"] * 3),
        plain("A>B", "B>A", "A>B", "C>D", "D>C", "D>C"),
        plain("A>B", "B>A", "A>B", "C>A", "C>B"),
        plain(*["A>B", "B>A"] * 3),
    ],
    ids=["all ties", "groups apart", "undefeated", "level"],
)
def test_odd_votes_have_parts_all_the_same(votes: Votes) -> None:
    made = of_votes(votes)

    assert {"sure", "fragility"} <= kinds(made)
    assert all(canonical(part) for part in made.values())


def test_two_contestants_are_one_pair() -> None:
    made = of_votes(replace(simulated(7, 200, 2), features={}))

    assert len(made["sure"]["contestants"]) == 2
    assert len(made["sure"]["better"][0]) == 1


def test_a_feature_that_never_differs_has_no_toggle() -> None:
    votes = simulated(8)
    same_everywhere = np.full(len(votes), 3.0)
    made = of_votes(
        replace(votes, features=dict(votes.features) | {"emoji": (same_everywhere,) * 2})
    )

    assert {name for name in made if name.startswith("board/")} == {
        f"board/{on}" for on in ("none", "length", "markdown", "length+markdown")
    }


# -- Tables of sealed votes ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        (["a.math", "b.code"], {"a.math": "math", "b.code": "code"}),
        (["a.math", "b.math"], {"a.math": "a.math", "b.math": "b.math"}),
        (["math", "a.math", "x"], {"math": "math", "a.math": "a.math", "x": "x"}),
        ([], {}),
    ],
)
def test_short_names(tags: list[str], names: dict[str, str]) -> None:
    assert short_names(tags) == names
    assert short_names(reversed(tags)) == names


def columns() -> Iterator[tuple[str, pa.Array]]:
    yield "flags", pa.array(["identity_a", None, "refused,identity_b", "refused"] * 75)
    yield "category_tag.math_v0.1.math", pa.array([True, None, False, True] * 75)
    yield "category_tag.criteria_v0.1.level", pa.array([3, None, 1, 2] * 75)


def test_tags_and_claims_of_a_table() -> None:
    table = vote_table(1)
    for name, column in columns():
        table = table.append_column(name, column)
    sources = sources_of(table, {"family": "model 0"})

    assert sources.claimed is not None
    assert sources.claimed[:4].tolist() == [True, False, True, False]
    assert list(sources.categories) == ["math"]
    assert sources.categories["math"][:4].tolist() == [True, False, False, True]
    assert sources_of(vote_table(1)).claimed is None


def test_a_part_that_cannot_be_made_keeps_no_other_from_being_made() -> None:
    """Weights by the odds of the draw leave a winless contestant's likelihood without a bound."""
    rows = [("c2", "c3", "model_b", 0.89942829), ("c3", "c0", "model_b", 0.58446568)]
    rows += [("c4", "c2", "model_b", 0.03110861), ("c3", "c4", "model_b", 0.88392498)]
    a, b, winner, drawn = zip(*rows, strict=True)
    votes = Votes.from_columns(a, b, winner, draw_probability=drawn)
    made = dict(parts(Sources(votes), publication(votes)))

    assert {"sure", "variant/draw_probability/raw"} <= made.keys()
