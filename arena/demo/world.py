"""The demo's cast: invented organisations, contestants and revisions, and what is true of them.

Nothing here describes a real model, company or person. REVISIONS stand in the order of their
planted substance, best first: the right answer that the demo's boards are held against.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import NormalDist, pstdev
from typing import Literal

from arena.demo.render import Style

Licence = Literal["open", "proprietary"]
Stage = Literal["experimental", "preview", "released"]

STARTED_AT = datetime(2026, 11, 7, 6, tzinfo=UTC)
# Each publication closes a week; right after the first one the sibling replaces the variant.
PUBLISHED_AT = (STARTED_AT + timedelta(days=7), STARTED_AT + timedelta(days=14))
VARIANT, SIBLING = "Vireo 2 chat-exp", "Vireo 2"
# Whose riggers vote through one night, and are caught and excluded.
RIGGED = "Rook Instruct"
RIGGED_AT = (datetime(2026, 11, 11, 18, tzinfo=UTC), datetime(2026, 11, 12, 2, tzinfo=UTC))

THETA_SD = 0.35
# On the logit: what one typical difference (a root mean square of the pair column) is worth.
GAMMA = {
    "length": 0.35,
    "headers": 0.15,
    "lists": 0.12,
    "bold": 0.20,
    "code": 0.0,
    "emoji": 0.10,
    "first_token": -0.06,
    "duration": 0.0,
}
# On the logit: what being shown first is worth.
POSITION = 0.1
# From the first publication on each answer is shown at its own speed, which voters then feel.
NATIVE_SINCE = PUBLISHED_AT[0]
# Of votes whose answer claims an identity. The claims are flags alone, and sway nobody.
CLAIMED_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Organisation:
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Contestant:
    """A catalog entry. Prices are dollars per million tokens; None: not sold."""

    slug: str
    name: str
    organisation: str
    licence: Licence
    parameters: str
    context_tokens: int
    price_in: str | None
    price_out: str | None
    released_on: date | None
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """What is served under `name`, and how it writes on average.

    contestant: name of the Contestant. number: counts its revisions from 1. family: the slug
    of the place on a family board that it can fill.
    """

    name: str
    contestant: str
    number: int
    stage: Stage
    family: str
    style: Style


# Revision | organisation | weights | parameters | context in thousands | price in, out |
# released | length headers lists bold code emoji, as in Style. Best substance first.
_CAST = """
Corvid 4        |Northlight      |closed|-   |256|2.5 10   |2026-08-18| 0.30 .35 .45 .45 .60 .05
Lector 3 Large  |Quillmoor       |closed|-   |200|3 15     |2026-07-02|-0.10 .15 .35 .30 .55 .02
Harrow 2        |Tarnbeck        |closed|-   |128|2 8      |2026-09-10|-0.50 .05 .25 .15 .50 .00
Ostrel Prime    |Ostrel          |closed|-   |400|5 20     |2026-06-24| 0.90 .60 .65 .75 .60 .25
Sable 120B      |Hollin Institute|open  |120B|128|0.9 2.7  |2026-05-28|-0.35 .15 .30 .25 .60 .02
Corvid 5 preview|Northlight      |closed|-   |256|2.5 10   |2026-10-27| 0.35 .45 .50 .50 .70 .05
Dunlin R        |Fjordwerk       |open  |235B|128|0.6 2.2  |2026-04-15|-0.90 .05 .15 .10 .35 .00
Tamar 1.5       |Saltmarsh       |closed|-   |200|1.2 5    |2026-03-19| 0.10 .30 .40 .35 .50 .08
Lector 3 Small  |Quillmoor       |closed|-   |200|0.25 1   |2026-07-02|-0.20 .20 .35 .30 .50 .02
Ostrel Swift    |Ostrel          |closed|-   |400|0.4 1.6  |2026-06-24| 0.65 .55 .60 .65 .50 .30
Osier 405B      |Saltmarsh       |open  |405B|128|2.8 2.8  |2025-12-04| 0.00 .20 .45 .30 .70 .02
Brindle 2       |Tarnbeck        |closed|-   |128|1 4      |2026-10-12| 0.40 .40 .50 .40 .50 .10
Pell 70B        |Hollin Institute|open  |70B |128|0.5 0.8  |2026-02-11|-0.40 .10 .30 .20 .55 .00
Harrow 2 mini   |Tarnbeck        |closed|-   |128|0.3 1.2  |2026-09-10|-0.65 .05 .20 .12 .40 .00
Quire Next      |Northlight      |closed|-   |256|-        |-         | 0.80 .50 .60 .65 .45 .30
Fennel 32B      |Fjordwerk       |open  |32B |128|0.2 0.6  |2026-08-05|-0.05 .25 .40 .30 .60 .03
Skerry 3 Pro    |Brackwater      |closed|-   |200|1.5 6    |2026-05-06| 0.50 .30 .50 .45 .55 .10
Rook Instruct   |Saltmarsh       |closed|-   |128|0.8 3.2  |2026-01-22| 0.45 .45 .55 .50 .50 .15
Teasel 27B      |Fjordwerk       |open  |27B | 64|0.15 0.45|2026-06-03|-0.55 .10 .25 .15 .45 .02
Linnet 3        |Ostrel          |closed|-   |128|0.1 0.4  |2026-04-29| 0.35 .35 .45 .50 .40 .30
Skerry 3        |Brackwater      |closed|-   |200|0.6 2.4  |2026-05-06| 0.15 .25 .45 .35 .55 .08
Tansy 72B       |Lowfell         |open  |72B |128|0.6 0.9  |2026-07-21| 0.60 .50 .60 .60 .60 .15
Wherry 2        |Marrowby        |closed|-   |100|0.7 2.8  |2026-03-03|-0.15 .10 .30 .25 .40 .05
Merle 6x20B     |Cindermoor      |open  |104B| 64|0.9 0.9  |2025-11-13|-0.45 .20 .35 .20 .55 .00
Corvid 3 mini   |Northlight      |closed|-   |128|0.2 0.8  |2025-10-09| 0.05 .25 .40 .35 .50 .05
Skerry 3 Lite   |Brackwater      |closed|-   |100|0.1 0.3  |2026-05-06|-0.30 .15 .35 .20 .45 .05
Yarrow 14B      |Lowfell         |open  |14B | 64|0.1 0.2  |2026-07-21| 0.55 .45 .55 .50 .55 .20
Lector 2        |Quillmoor       |closed|-   |100|1.5 7.5  |2025-09-16|-0.80 .05 .20 .10 .45 .00
Culver 40B      |Hollin Institute|open  |40B | 32|0.4 0.6  |2025-08-27|-0.60 .10 .30 .15 .50 .00
Vireo 2 chat-exp|Meridel         |open  |109B|256|-        |-         | 1.10 .90 .90 .95 .55 .90
Brindle 1       |Tarnbeck        |closed|-   | 64|0.8 2.4  |2025-07-08| 0.20 .30 .45 .40 .45 .10
Vireo 2         |Meridel         |open  |109B|256|0.2 0.6  |2026-11-14|-0.20 .20 .35 .30 .55 .02
Wherry 2 Dash   |Marrowby        |closed|-   |100|0.1 0.4  |2026-03-03| 0.45 .40 .50 .55 .40 .35
Siskin 9B       |Cindermoor      |open  |9B  | 32|0.05 0.1 |2026-01-15|-1.00 .05 .15 .10 .35 .02
Tamar 1         |Saltmarsh       |closed|-   |100|1 4      |2025-06-18| 0.00 .15 .35 .25 .45 .05
Fennel 7B       |Fjordwerk       |open  |7B  | 32|0.05 0.15|2026-08-05| 0.15 .30 .40 .35 .55 .08
Vireo 1         |Meridel         |open  |70B |128|0.3 0.5  |2025-07-23|-0.65 .10 .25 .20 .50 .00
Pell 8B         |Hollin Institute|open  |8B  | 64|0.05 0.1 |2026-02-11|-0.35 .15 .30 .20 .50 .02
Yarrow 3B       |Lowfell         |open  |3B  | 32|0.03 0.06|2026-07-21| 0.40 .35 .50 .45 .45 .25
Osier 4B        |Saltmarsh       |open  |4B  | 32|0.03 0.06|2025-12-04|-0.05 .15 .35 .25 .50 .05
Wherry 1        |Marrowby        |closed|-   | 32|0.5 1.5  |2025-05-14|-0.85 .05 .20 .10 .30 .00
"""
_STAGES: dict[str, Stage] = {
    "Corvid 5 preview": "preview",
    "Brindle 2": "preview",
    "Quire Next": "experimental",
    VARIANT: "experimental",
}
_ROWS = tuple([cell.strip() for cell in line.split("|")] for line in _CAST.strip().splitlines())


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-").replace(".", "-")


def _contestant(row: list[str]) -> Contestant:
    name, organisation, weights, parameters, context, price, released, _ = row
    price_in, price_out = price.split() if price != "-" else (None, None)
    return Contestant(
        slug=_slug(name),
        name=name,
        organisation=organisation,
        licence="open" if weights == "open" else "proprietary",
        parameters="" if parameters == "-" else parameters,
        context_tokens=int(context) * 1000,
        price_in=price_in,
        price_out=price_out,
        released_on=date.fromisoformat(released) if released != "-" else None,
        aliases=tuple(dict.fromkeys((name.split()[0], organisation))),
    )


def _revision(row: list[str]) -> Revision:
    name = row[0]
    contestant = SIBLING if name == VARIANT else name
    return Revision(
        name=name,
        contestant=contestant,
        number=2 if name == SIBLING else 1,
        stage=_STAGES.get(name, "released"),
        family=_slug(contestant),
        style=Style(*map(float, row[-1].split())),
    )


CONTESTANTS = tuple(_contestant(row) for row in _ROWS if row[0] != VARIANT)
REVISIONS = tuple(_revision(row) for row in _ROWS)
ORGANISATIONS = tuple(Organisation(_slug(name), name) for name in sorted({row[1] for row in _ROWS}))


def planted_theta() -> dict[str, float]:
    """θ of every revision: normal quantiles of mean 0 and standard deviation THETA_SD."""
    count = len(REVISIONS)
    quantiles = [NormalDist().inv_cdf(1 - (place + 0.5) / count) for place in range(count)]
    spread = THETA_SD / pstdev(quantiles)
    return {
        revision.name: spread * quantile
        for revision, quantile in zip(REVISIONS, quantiles, strict=True)
    }


def planted_substance() -> dict[str, float]:
    """In (0, 1): the share of the cast that a revision surpasses, for choosing what it says."""
    spread = NormalDist(0.0, THETA_SD)
    return {name: spread.cdf(theta) for name, theta in planted_theta().items()}
