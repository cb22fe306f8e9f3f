"""Who was shown how often, and who is drawn now, in words and tables."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from arena.battles.admin.tables import Row, Table
from arena.battles.exposure import ENOUGH, Alone, Chance, Exposed, Exposure, Interval, Pool
from arena.core.admin import number_of, percent


class SinceForm(forms.Form):
    since = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def since_then(self) -> datetime | None:
        day = self.cleaned_data["since"]
        return datetime.combine(day, time.min, UTC) if day else None


def spans() -> Iterator[tuple[str, str]]:
    """Times that are asked for often, with their queries."""
    for days in (7, 30, 365):
        yield f"{days} days", f"?since={days_ago(days)}"
    yield "all time", "?since="


def days_ago(days: int) -> date:
    return timezone.now().date() - timedelta(days=days)


# -- In words --------------------------------------------------------------------------------


def shown_words(shown: Exposure) -> Iterator[str]:
    when = f"since {shown.since:%d %B %Y}" if shown.since else "so far"
    if not shown.battles:
        yield f"No battle has been drawn {when}."
        return
    were = "was" if shown.battles == 1 else "were"
    yield (
        f"{number_of(shown.battles, 'battle')} of two different contestants {were} drawn {when}, "
        f"{shown.votes:,} of them voted on."
    )
    told = [row for row in shown.contestants if row.expected]
    if not told:
        yield (
            "What an even drawing would have shown cannot be said yet: the stored probabilities "
            f"are worth {shown.effective:,.0f} evenly drawn battles, and it takes {ENOUGH}."
        )
        return
    most, least = max(told, key=ratio), min(told, key=ratio)
    yield (
        f"Measured against an even drawing over the same pairs, {most.name} was shown the most, "
        f"{ratio(most):.2f} times as often, and {least.name} the least, {ratio(least):.2f} times. "
        f"The even shares are as sure as {shown.effective:,.0f} evenly drawn battles make them."
    )


def ratio(row: Exposed) -> float:
    return row.share / row.expected if row.expected else 1.0


NO_MAKER, NO_STAGE = "No organisation stated", "Not stated"
COUNTED = ("battles", "votes", "share of places", "evenly drawn", "against that")
DRAWN = ("in 100 battles", "evenly drawn", "against that")
WHO = ("contestant", "organisation", "stage")


def shown_tables(shown: Exposure) -> tuple[Table, ...]:
    return (
        Table(
            "By organisation",
            ("organisation",),
            COUNTED,
            tuple(Row((row.name or NO_MAKER,), figures(row)) for row in shown.organisations),
            "A battle has two places. Two contestants of one organisation in one battle are one "
            "battle and two places of it.",
        ),
        Table(
            "By stage",
            ("stage",),
            COUNTED,
            tuple(Row((row.name or NO_STAGE,), figures(row)) for row in shown.stages),
        ),
        Table(
            "By contestant",
            WHO,
            COUNTED,
            tuple(Row(who(row), figures(row)) for row in shown.contestants),
        ),
    )


def who(row: Exposed | Chance) -> tuple[str, ...]:
    address = reverse("admin:catalog_contestant_changelist")
    link = format_html('<a href="{}?slug={}">{}</a>', address, row.slug, row.name)
    return link, row.organisation, row.stage


def figures(row: Exposed) -> tuple[str, ...]:
    against = f"× {ratio(row):.2f}" if row.expected else ""
    shares = percent(row.share), percent(row.expected)
    return f"{row.battles:,}", f"{row.votes:,}", *shares, against


def pool_shown(pool: Pool) -> dict[str, Any]:
    alone = f", and in {percent(pool.alone)} of battles one meets itself" if pool.alone else ""
    makers = (Row((row.name or NO_MAKER,), chances(row)) for row in pool.organisations)
    contestants = (Row(who(row), chances(row)) for row in pool.contestants)
    return {
        "heading": pool.name,
        "words": f"{number_of(pool.pairs, 'pair')} may be drawn{alone}.",
        "tables": (
            Table("By organisation", ("organisation",), DRAWN, tuple(makers)),
            Table("By contestant", WHO, DRAWN, tuple(contestants)),
        ),
    }


def chances(row: Chance) -> tuple[str, ...]:
    return f"{100 * row.chance:.1f}", f"{100 * row.even:.1f}", f"× {row.chance / row.even:.2f}"


def alone_words(alone: Alone) -> Iterator[str]:
    if alone.decided is None:
        yield f"No A/A votes yet, of {number_of(alone.battles, 'A/A battle')}."
        return
    left, right, tie, both_bad = alone.outcomes.values()
    yield (
        f"{number_of(alone.votes, 'vote')} on {number_of(alone.battles, 'battle')} of a "
        f"contestant against itself: {left:,} for the left answer, {right:,} for the right one, "
        f"{number_of(tie, 'tie')}, {both_bad:,} both bad. None of them counts."
    )
    yield (
        f"Noise: {interval(alone.decided)} of them preferred one of two answers that came from "
        "the same contestant."
    )
    if alone.left is None:
        return
    pull = "no pull to a side shows"
    if not alone.left.lower <= 0.5 <= alone.left.upper:
        pull = f"people lean to the {'left' if alone.left.share > 0.5 else 'right'}"
    yield f"Sides: {interval(alone.left)} of these preferred the left one; {pull}."


def interval(found: Interval) -> str:
    return (
        f"{100 * found.share:.0f} % (95 % interval {100 * found.lower:.0f} to "
        f"{100 * found.upper:.0f} %)"
    )
