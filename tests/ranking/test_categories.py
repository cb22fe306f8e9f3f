"""Which categories votes belong to, which of them are thin, and the table of all."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ranking import Votes, fit, pooled_categories
from ranking.analysis import Sources, parts, sources_of
from ranking.analysis.categories import ENOUGH
from ranking.analysis.tags import (
    CRITERIA,
    LEAST_IN_LANGUAGE,
    MOST_CATEGORIES,
    categories_of,
    language_of,
)
from ranking.publication import Publication, publication
from tests.ranking.making import repeated, simulated

VOTES = 120


def table(**columns: list[Any]) -> pa.Table:
    return pa.table({name.replace("__", "."): pa.array(each) for name, each in columns.items()})


def counts(made: pa.Table) -> dict[str, int]:
    return {name: int(inside.sum()) for name, inside in categories_of(made, None).items()}


# -- Which votes -----------------------------------------------------------------------------


def test_it_works() -> None:
    made = table(
        category_tag__math_v0__math=[True, None, False] * 40,
        category_tag__math_v0__score=[1.0, 2.0, None] * 40,
        is_code=[True, False, None] * 40,
        language=["en", "fr", None] * 40,
    )

    assert counts(made) == {"code": 40, "math": 40}


def test_a_prompt_is_hard_that_meets_six_of_the_seven_criteria() -> None:
    met = np.arange(VOTES) % 8
    columns = {
        f"category_tag__criteria_v0__{name}": (met > k).tolist() for k, name in enumerate(CRITERIA)
    }
    hard = categories_of(table(**columns), None)["hard_prompts"]

    assert hard.tolist() == (met >= 6).tolist()
    columns.popitem()
    assert "hard_prompts" not in categories_of(table(**columns), None)


def test_what_is_not_known_of_a_criterion_does_not_make_a_prompt_hard() -> None:
    columns: dict[str, list[Any]] = {
        f"category_tag__criteria_v0__{name}": [True] * VOTES for name in CRITERIA
    }
    for name in CRITERIA[:2]:
        columns[f"category_tag__criteria_v0__{name}"] = [None, True] * (VOTES // 2)

    assert counts(table(**columns))["hard_prompts"] == VOTES // 2


def test_a_tag_that_says_code_and_the_column_make_one_category() -> None:
    made = table(category_tag__code=[True, False, False] * 40, is_code=[False, True, False] * 40)

    assert counts(made) == {"code": 80}


def test_languages_with_enough_votes_are_categories_however_they_are_spelt() -> None:
    spoken = ["English", "en", "en-GB", "EN"] * 20 + ["zh-Hans"] * LEAST_IN_LANGUAGE
    spoken += ["is"] * (LEAST_IN_LANGUAGE - 1) + ["unknown", "<b>", ""] * 60

    assert counts(table(language=spoken)) == {"lang-en": 80, "lang-zh": LEAST_IN_LANGUAGE}


def test_languages_of_several_files_are_one() -> None:
    columns = [pa.array(["en"] * 30 + ["fr"] * 60), pa.array(["fr"] * 10 + ["en"] * 30)]
    joined = pa.table({"language": pa.chunked_array(columns)})
    found = categories_of(joined, None)

    assert {name: int(inside.sum()) for name, inside in found.items()} == {
        "lang-en": 60,
        "lang-fr": 70,
    }
    assert found["lang-fr"][30:100].all()


@pytest.mark.parametrize(
    ("spelt", "code"),
    [("French", "fr"), (" pt_BR ", "pt"), ("yue", "yue"), ("und", ""), ("x" * 80, ""), ("é", "")],
)
def test_spellings_of_languages(spelt: str, code: str) -> None:
    assert language_of(spelt) == code


@pytest.mark.parametrize("tag", ["math.", "..", "a\nb", "."])
def test_a_tag_without_a_last_word_has_a_name_or_is_left_out(tag: str) -> None:
    """A category is named in addresses, where an empty name or a line's end has no place."""
    table = pa.table({f"category_tag.{tag}": [True, False], "category_tag.art": [True, True]})
    assert set(categories_of(table, None)) == {"art", *(["math."] if tag == "math." else [])}


def test_of_very_many_the_largest_are_kept() -> None:
    tags = {f"category_tag__t{k:03}": [row <= k for row in range(VOTES)] for k in range(VOTES)}
    found = counts(table(**tags))

    assert len(found) == MOST_CATEGORIES
    assert min(found.values()) == VOTES - MOST_CATEGORIES + 1
    excluded = np.where(np.arange(VOTES) < 60, -1, 0).astype(np.int32)
    assert "t000" not in categories_of(table(**tags), excluded)


# -- Boards ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sources() -> Sources:
    votes = simulated(3, 1500)
    rng = np.random.default_rng(3)
    inside = {"large": rng.random(1500) < 0.6, "thin": rng.random(1500) < 0.08}
    return Sources(votes, categories=inside | {"empty": np.zeros(1500, dtype=bool)})


@pytest.fixture(scope="module")
def published(sources: Sources) -> Publication:
    return publication(sources.votes)


@pytest.fixture(scope="module")
def made(sources: Sources, published: Publication) -> dict[str, dict[str, Any]]:
    return {name: part for name, part in parts(sources, published) if name.startswith("categor")}


def test_only_a_thin_category_is_pooled(made: dict[str, dict[str, Any]], sources: Sources) -> None:
    took = np.bincount(sources.votes.a[sources.categories["thin"]])

    assert np.median(took) < ENOUGH
    assert [name for name in made if name.endswith("/pooled")] == ["category/thin/pooled"]


def test_a_thin_category_borrows_as_pooled_categories_has_it(
    made: dict[str, dict[str, Any]], sources: Sources, published: Publication
) -> None:
    part, inside = made["category/thin/pooled"], sources.categories
    found = pooled_categories(
        sources.votes,
        {"thin": inside["thin"]},
        published.default.spec,
        beside={"large": inside["large"]},
    )

    assert part["tau"] == pytest.approx(found.tau)
    assert [row["rating"] for row in part["standings"]] == pytest.approx(
        [row.rating for row in found.categories[0].standings]
    )
    assert part["counts"]["counted"] == int(inside["thin"].sum()) == part["votes"]
    assert part["counts"]["excluded"] == {"not thin": int((~inside["thin"]).sum())}


def test_large_categories_tell_how_far_a_thin_one_may_differ(sources: Sources) -> None:
    """Alone it hardly bounds how much categories differ; with another its intervals narrow."""
    inside = sources.categories
    few = inside["thin"] & (np.arange(1500) < 600)
    alone = pooled_categories(sources.votes, {"few": few})
    told = pooled_categories(sources.votes, {"few": few}, beside={"large": inside["large"]})

    assert told.tau < alone.tau
    assert [category.name for category in told.categories] == ["few"]


def test_a_category_that_places_too_few_is_thin(sources: Sources, published: Publication) -> None:
    """However many votes those have whom it places."""
    votes = repeated(sources.votes, 6)
    pair = np.isin(votes.a, [0, 1]) & np.isin(votes.b, [0, 1])
    names = {
        name for name, _ in parts(Sources(votes, categories={"two": pair}), publication(votes))
    }

    assert "category/two/pooled" in names


def test_the_table_holds_the_boards_of_the_categories(
    made: dict[str, dict[str, Any]], sources: Sources, published: Publication
) -> None:
    table = made["categories"]

    assert table["categories"] == ["large", "thin"]
    assert table["pooled"] == [False, True]
    assert table["board"] == "controlled"
    for k, part in enumerate(("category/large/controlled", "category/thin/pooled")):
        rows = {row["contestant"]: row for row in made[part]["standings"]}
        for name, rating, rank, votes in zip(
            table["contestants"],
            *(table[field][k] for field in ("ratings", "ranks", "votes")),
            strict=True,
        ):
            assert (rating, rank, votes) == tuple(
                rows[name][field] for field in ("rating", "rank", "votes")
            )
    assert table["spread"][1] is None
    assert sum(table["differences"][0]) == pytest.approx(0.0, abs=1e-9)


def test_the_spread_is_what_the_category_adds_to_chance() -> None:
    """Half of the votes see contestants otherwise; the other categories are drawn by chance."""
    rng = np.random.default_rng(8)
    n, m = 40_000, 12
    theta, apart = rng.normal(0.0, 0.4, m), rng.normal(0.0, 0.3, m)
    a = rng.integers(0, m, n)
    b = (a + rng.integers(1, m, n)) % m
    special = np.arange(n) % 4 == 0
    strength = np.where(special, 1.0, 0.0)
    gap = theta[a] - theta[b] + strength * (apart[a] - apart[b])
    outcome = np.where(rng.random(n) < 1 / (1 + np.exp(-gap)), 0, 1)
    votes = Votes.from_columns(a, b, outcome, contestants=[f"m{i:02}" for i in range(m)])
    tags = {"special": special, "chance": rng.random(n) < 0.25}
    found = dict(parts(Sources(votes, categories=tags), publication(votes)))["categories"]
    special_spread, chance = (
        found["spread"][found["categories"].index(name)] for name in ("special", "chance")
    )

    # The overall rating goes a quarter of the way.
    assert special_spread["points"] == pytest.approx(0.75 * 0.3 * 400 / np.log(10), rel=0.35)
    assert special_spread["p_value"] < 1e-6
    assert special_spread["apart"] > 6
    assert chance["points"] < 5.0
    assert chance["p_value"] > 0.05


def test_a_category_s_board_is_the_fit_of_its_votes(
    made: dict[str, dict[str, Any]], sources: Sources, published: Publication
) -> None:
    votes = sources.votes
    out = np.where(sources.categories["large"], -1, 0).astype(np.int32)
    alone = fit(
        replace(votes, excluded=out, rules=("other",)), replace(published.default.spec, scales=None)
    )

    assert [
        row["rating"] for row in made["category/large/controlled"]["standings"]
    ] == pytest.approx([row.rating for row in alone.standings], abs=1e-9)


def test_no_tag_no_table() -> None:
    votes = simulated(2, 300)
    names = {name for name, _ in parts(Sources(votes), publication(votes))}

    assert not [name for name in names if name.startswith("categor")]


def test_a_table_of_votes_gives_its_categories_to_the_parts() -> None:
    made = pa.table(
        {
            "model_a": ["a", "b"] * 60,
            "model_b": ["b", "c"] * 60,
            "winner": ["model_a", "model_b", "tie"] * 40,
            "language": ["de"] * 120,
        }
    )

    assert list(sources_of(made).categories) == ["lang-de"]
