"""What the engine says in a publication is known sentence by sentence, so it can be translated."""

from pathlib import Path

import numpy as np
import pytest
from django.utils import translation

from arena.leaderboard.sentences import is_known, sentence_translated
from ranking import RankingSpec, fit
from ranking.diagnostics import (
    NOBODY_PLACED,
    ONE_VOTER,
    _bound_warnings,
    _check_identified,
    cluster_warnings,
    separation,
)
from ranking.errors import IdentificationError
from ranking.io import read_votes
from ranking.likelihoods import NO_BOTH_BAD, NO_TIES
from ranking.votes import Votes
from tests.leaderboard.test_refit import cycle

NAMES = ("wren", "kite")


@pytest.mark.parametrize(
    "sentence",
    [
        NOBODY_PLACED,
        ONE_VOTER,
        NO_TIES,
        NO_BOTH_BAD,
        *cluster_warnings(clusters=4, effective=2.5, parameters=9),
        str(separation(np.array([0.0, 0.0, 1.0]), NAMES, ["length"])),
        str(separation(np.array([0.5, -0.5, 1.0, 0.9]), NAMES, ["length", "bold"])),
        str(separation(np.array([0.5, -0.5]), NAMES, [])),
    ],
)
def test_what_the_engine_says_is_known(sentence: str) -> None:
    assert is_known(sentence)
    with translation.override("fr"):
        assert sentence_translated(sentence) != sentence
    assert sentence_translated(sentence) == sentence


def test_a_fit_of_votes_without_style_says_so_in_the_readers_words(tmp_path: Path) -> None:
    votes = Votes.from_arrow(read_votes(cycle(tmp_path)).table)
    (warning, *_) = fit(votes, RankingSpec(likelihood="davidson", position=False)).warnings

    with translation.override("zh-hans"):
        assert "平局" in sentence_translated(warning)


def test_names_and_numbers_within_are_translated_too() -> None:
    refused = (
        "Style is not controlled for: length and bold always move together in these votes; "
        "leave one of them out."
    )
    (few,) = cluster_warnings(clusters=40, effective=2.5, parameters=9)

    with translation.override("fr"):
        assert "Longueur et gras varient toujours ensemble" in sentence_translated(refused)
        assert "2,5 votants" in sentence_translated(few)


def test_what_is_not_known_is_shown_as_it_is() -> None:
    with translation.override("fr"):
        assert sentence_translated("wren is 100% new.") == "wren is 100% new."


def test_what_is_said_of_columns_is_known() -> None:
    nearly_one, alike = np.array([[1.0, 0.99], [0.99, 1.0]]), np.ones((2, 2))
    told = _bound_warnings(("length", "bold"), np.array([0.97, 0.2]), np.eye(2))
    told += _bound_warnings(("length", "bold"), np.array([0.2, 0.2]), nearly_one)
    for names, remainder in ((("length", "bold"), alike), (("position",), np.zeros((1, 1)))):
        with pytest.raises(IdentificationError) as refused:
            _check_identified(names, remainder)
        told.append(str(refused.value))

    assert len(told) == 4
    assert all(map(is_known, told))
