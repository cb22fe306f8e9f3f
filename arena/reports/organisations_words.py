"""The sentences of the pages on organisations, and of open against closed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboard.sentences import grouped, joined, listed
from arena.leaderboard.sure_words import share
from arena.leaderboard.templatetags.glyphs import doubt, signed, whole
from arena.reports.makers import Maker, Member
from arena.reports.openness import Lead, Openness, Record

if TYPE_CHECKING:
    from arena.reports.organisations import Shown


# From so many times its fair share on, an organisation is named for it.
TELLING = 1.1


def times(value: float) -> str:
    return str(number_format(round(value, 2), 2))


def place_words(member: Member) -> str:
    """Rank with its set: 3 (1–6)."""
    place = member.place
    if place is None:
        return _("not placed")
    if place.rank_lower is None or place.rank_lower == place.rank_upper:
        return str(place.rank)
    return f"{place.rank} ({place.rank_lower}–{place.rank_upper})"


# -- Exposure --------------------------------------------------------------------------------


def exposure_sentence(makers: Sequence[Maker]) -> str:
    """Who was shown most for what it has; it is a count, so it has no interval."""
    named = {maker.name: maker.shown.times for maker in makers if maker.name and maker.shown}
    if len(makers) < 2 or not named:
        return ""
    name, most = max(named.items(), key=lambda item: item[1])
    told = {"name": name, "times": times(most)}
    if most >= TELLING:
        return _("%(name)s is shown %(times)s times its fair share.") % told
    return _("No organisation is shown more than %(times)s times its fair share.") % told


def variants_sentence(makers: Sequence[Maker]) -> str:
    """Who tested most variants before a release; "" where nobody did."""
    tested = [maker for maker in makers if maker.name and maker.variants]
    if not tested:
        return ""
    count = sum(len(maker.variants) for maker in tested)
    told = {"variants": grouped(count), "makers": listed(maker.name for maker in tested)}
    return (
        ngettext(
            "%(variants)s variant was tested before a release, by %(makers)s.",
            "%(variants)s variants were tested before a release, by %(makers)s.",
            count,
        )
        % told
    )


def exposure_words(makers: Sequence[Maker]) -> str:
    rows = [
        _("%(name)s %(share)s of places, fair %(fair)s, %(times)s times that")
        % {
            "name": maker_name(maker),
            "share": share(maker.shown.share),
            "fair": share(maker.shown.fair),
            "times": times(maker.shown.times),
        }
        for maker in makers
        if maker.shown
    ]
    return f"{'; '.join(rows)}."


def maker_name(maker: Maker) -> str:
    return maker.name or _("No organisation stated")


# -- Open against closed ---------------------------------------------------------------------


def gap_sentence(openness: Openness) -> str:
    ours, theirs, lead = openness.open, openness.closed, openness.lead
    told = {"open": ours.name, "closed": theirs.name, "points": whole(abs(lead.points))}
    if lead.half is None:
        if lead.points >= 0:
            return (
                _(
                    "The best closed contestant, %(closed)s, is rated %(points)s points above the "
                    "best open one, %(open)s."
                )
                % told
            )
        return (
            _(
                "The best open contestant, %(open)s, is rated %(points)s points above the best "
                "closed one, %(closed)s."
            )
            % told
        )
    told["doubt"] = doubt(lead.half)
    if lead.could_be_nothing:
        return (
            _(
                "Open and closed cannot be told apart at the top: between %(closed)s and %(open)s "
                "lie %(points)s %(doubt)s points."
            )
            % told
        )
    if lead.points > 0:
        return (
            _(
                "The best closed contestant, %(closed)s, is %(points)s %(doubt)s points ahead of "
                "the best open one, %(open)s."
            )
            % told
        )
    return (
        _(
            "The best open contestant, %(open)s, is %(points)s %(doubt)s points ahead of the best "
            "closed one, %(closed)s."
        )
        % told
    )


def top_sentence(openness: Openness) -> str:
    """Of the means of the best few."""
    lead = openness.top_lead
    if lead is None or lead.half is None:
        return ""
    told = {
        "top": grouped(openness.top),
        "points": whole(abs(lead.points)),
        "doubt": doubt(lead.half),
    }
    if lead.could_be_nothing:
        return (
            _(
                "The means of the best %(top)s of each cannot be told apart: they lie %(points)s "
                "%(doubt)s points from each other."
            )
            % told
        )
    if lead.points > 0:
        return (
            _(
                "On average the best %(top)s closed ones are %(points)s %(doubt)s points ahead of "
                "the best %(top)s open ones."
            )
            % told
        )
    return (
        _(
            "On average the best %(top)s open ones are %(points)s %(doubt)s points ahead of the "
            "best %(top)s closed ones."
        )
        % told
    )


def interval_note(openness: Openness) -> str:
    if openness.lead.half is None:
        return _("The interval of this gap is not known in this publication.")
    return _(
        "Intervals are 95%, of these named contestants: whoever happens to stand first is a "
        "little flattered."
    )


# -- Over time -------------------------------------------------------------------------------


def moments_sentence(openness: Openness) -> str:
    """How the gap went from the first of these publications to the last."""
    first, last = openness.moments[0], openness.moments[-1]
    told = {
        "before": signed(first.lead.points),
        "after": signed(last.lead.points),
        "number": grouped(len(openness.moments)),
    }
    leads = [moment.lead for moment in openness.moments]
    if all(lead.half is not None and lead.could_be_nothing for lead in leads):
        return (
            _(
                "In none of %(number)s publications can the best open and the best closed be told "
                "apart."
            )
            % told
        )
    if told["before"] == told["after"]:
        return (
            _(
                "Over %(number)s publications the lead of the best closed stayed at %(after)s "
                "points."
            )
            % told
        )
    return (
        _(
            "Over %(number)s publications the lead of the best closed went from %(before)s to "
            "%(after)s points."
        )
        % told
    )


def moments_words(openness: Openness) -> str:
    rows = [
        _("publication %(number)s: %(closed)s over %(open)s by %(lead)s")
        % {
            "number": moment.number,
            "closed": moment.closed,
            "open": moment.open,
            "lead": lead_words(moment.lead),
        }
        for moment in openness.moments
    ]
    return f"{'; '.join(rows)}."


def lead_words(lead: Lead) -> str:
    if lead.half is None:
        return signed(lead.points)
    return f"{signed(lead.points)} {doubt(lead.half)}"


def records_sentence(openness: Openness) -> str:
    """Since when each side has its best."""
    told: dict[str, str] = {}
    for side, records in (("open", openness.open_records), ("closed", openness.closed_records)):
        best = records[-1].member
        day_of = date_format(best.released, "DATE_FORMAT") if best.released else ""
        told |= {side: best.name, f"{side}_date": str(day_of)}
    return (
        _(
            "By date of release the best closed one is %(closed)s, of %(closed_date)s, and the "
            "best open one %(open)s, of %(open_date)s."
        )
        % told
    )


def day(member: Member) -> str:
    """As everybody reads it, whichever the language."""
    return member.released.isoformat() if member.released else ""


def records_words(openness: Openness) -> str:
    sides = (
        (_("closed"), openness.closed_records),
        (_("open"), openness.open_records),
    )
    return joined(
        *(
            _("%(side)s: %(records)s.")
            % {"side": side, "records": "; ".join(record_words(record) for record in records)}
            for side, records in sides
        )
    )


def record_words(record: Record) -> str:
    place = record.member.place
    assert place is not None
    told = f"{day(record.member)} {record.member.name} {whole(place.rating)} {doubt(place.half)}"
    return told + (_(", perhaps no better than the one before") if record.could_be_none else "")


# -- One organisation ------------------------------------------------------------------------


def maker_sentence(maker: Maker, every: int) -> str:
    best = maker.best
    told = {
        "name": maker.name,
        "number": grouped(len(maker.members)),
        "all": grouped(every),
    }
    count = len(maker.members)
    if best is None or best.place is None:
        return (
            ngettext(
                "%(name)s has %(number)s contestant here, which the votes do not place yet.",
                "%(name)s has %(number)s contestants here, none of which the votes place yet.",
                count,
            )
            % told
        )
    told |= {"best": best.name, "rank": grouped(best.place.rank)}
    return (
        ngettext(
            "%(name)s has %(number)s contestant here: %(best)s, at place %(rank)s of %(all)s.",
            "%(name)s has %(number)s contestants here. Its best is %(best)s, at place %(rank)s "
            "of %(all)s.",
            count,
        )
        % told
    )


def best_sentence(maker: Maker) -> str:
    """Where its best might stand, and where it stands on the raw board."""
    best = maker.best
    if best is None or best.place is None:
        return ""
    said = []
    lower, upper = best.place.rank_lower, best.place.rank_upper
    if lower is not None and lower != upper:
        said.append(
            _("That could be anywhere from %(lower)s to %(upper)s.")
            % {"lower": lower, "upper": upper}
        )
    raw = maker.best_raw
    if raw is not None and raw.raw is not None and raw.raw.rank != best.place.rank:
        told = {"name": raw.name, "rank": raw.raw.rank}
        said.append(_("Without control of style its best is %(name)s, at place %(rank)s.") % told)
    return joined(*said)


def releases_sentence(shown: "Shown") -> str:
    """How many were the best of all so far at their release, as they are rated now."""
    leading = sum(member in shown.records for member in shown.releases)
    told = {
        "name": shown.maker.name,
        "number": grouped(leading),
        "all": grouped(len(shown.releases)),
    }
    if not leading:
        return _("None of the %(all)s releases of %(name)s is rated above all before it.") % told
    return (
        ngettext(
            "%(number)s of the %(all)s releases of %(name)s is rated above all before it.",
            "%(number)s of the %(all)s releases of %(name)s are rated above all before them.",
            leading,
        )
        % told
    )


def releases_words(members: Sequence[Member]) -> str:
    rows = []
    for member in members:
        assert member.place is not None
        figure = f"{whole(member.place.rating)} {doubt(member.place.half)}"
        rows.append(f"{day(member)} {member.name} {figure}")
    return f"{'; '.join(rows)}."


# -- How to read a chart ---------------------------------------------------------------------


def exposure_key() -> str:
    return _("Dot: share of all places in votes. Bar: fair share.")


def frontier_key() -> str:
    return _(
        "Solid line and circles: closed. Dashed line and diamonds: open. Hollow: perhaps no "
        "better than the one before. Bars: 95% intervals. The axis of ratings is cut."
    )


def gap_key() -> str:
    return _("Above the line closed leads, below it open. Hollow: could be nothing.")


def releases_key() -> str:
    return _("Line: the best of all contestants so far. Bars: 95% intervals. The axis is cut.")
