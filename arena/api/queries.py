"""What may stand behind the question mark, checked and said in the schema."""

from datetime import UTC, date, datetime, time
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from arena.api.pagination import MOST
from arena.leaderboard.models import BoardName
from ranking.votes import OUTCOMES

YES_NO = ("yes", "no")


class Query(serializers.Serializer[Any]):
    """Parameters of an address; one that it does not take is refused and not ignored."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            takes = ", ".join(self.fields) or "none"
            raise serializers.ValidationError(
                {unknown[0][:40]: f"There is no such parameter. This address takes: {takes}."}
            )
        if blank := [name for name in data if "" in data.getlist(name)]:
            raise serializers.ValidationError(
                {blank[0]: "It is empty. Give a value or leave it out."}
            )
        twice = [
            name
            for name in data
            if len(data.getlist(name)) > 1
            and not isinstance(self.fields[name], serializers.ListField)
        ]
        if twice:
            raise serializers.ValidationError({twice[0]: "It is given more than once. Give one."})
        return super().to_internal_value(data)


class Choice(serializers.ChoiceField):
    """Says what it got and what it takes."""

    default_error_messages = {"invalid_choice": "'{input}' is none of these."}

    def fail(self, key: str, **kwargs: Any) -> Any:
        message = self.error_messages[key].format(**{**kwargs, "input": shown(kwargs.get("input"))})
        raise serializers.ValidationError(f"{message} It takes: {', '.join(self.choices)}.")


@extend_schema_field(OpenApiTypes.STR)
class Moment(serializers.Field[datetime, str, str, Any]):
    """A date, or a time in ISO 8601; without a zone it is UTC."""

    def __init__(self, *, end_of_day: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.end_of_day = end_of_day

    def to_internal_value(self, data: str) -> datetime:
        # A blank zone sign is a + that was not escaped in an address.
        text = data.replace(" ", "+") if "T" in data else data
        try:
            found = parse_datetime(text) or self.of_day(parse_date(text))
            if found is not None:
                return found if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            pass
        raise serializers.ValidationError(
            f"'{shown(data)}' is no time. It takes a date such as 2026-03-01, or a time such as "
            "2026-03-01T09:30:00Z."
        )

    def of_day(self, day: date | None) -> datetime | None:
        if day is None:
            return None
        return datetime.combine(day, time.max if self.end_of_day else time.min, UTC)

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


def shown(value: Any) -> str:
    return str(value)[:60]


class OfSnapshot(Query):
    snapshot = serializers.CharField(
        required=False,
        default="",
        max_length=64,
        help_text="A publication's digest or its first six characters or more; default latest.",
    )


class OfBoard(OfSnapshot):
    board = Choice(
        choices=BoardName.values, required=False, help_text="Default: the default board."
    )


class OfBoardFile(OfSnapshot):
    category = serializers.CharField(required=False, max_length=80, help_text="Default: overall.")
    controls = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Names of the controls, with commas between them, or none.",
    )


class Paged(Query):
    cursor = serializers.CharField(
        required=False, max_length=300, help_text="From next or previous of a page."
    )
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST, help_text="Rows of a page; default 100."
    )


class OfStandings(Paged, OfBoard):
    snapshot = serializers.CharField(
        required=False,
        max_length=64,
        help_text=(
            "A publication's digest or its first characters. Default: the latest, or all of them "
            "where a contestant is named."
        ),
    )
    board = Choice(choices=BoardName.values, required=False, help_text="Default: all boards.")
    contestant = serializers.CharField(
        required=False, max_length=220, help_text="A contestant's slug, or a revision's name."
    )


class OfVotes(Query):
    since = Moment(required=False, help_text="Cast then or later: a date, or a time (UTC).")
    until = Moment(
        required=False, end_of_day=True, help_text="Cast then or earlier; a date means all of it."
    )
    contestant = serializers.ListField(
        child=serializers.CharField(max_length=220),
        required=False,
        max_length=100,
        help_text="A contestant's slug or a revision's name; repeated, votes with any of them.",
    )
    winner = Choice(choices=OUTCOMES, required=False)
    language = serializers.CharField(required=False, max_length=60, help_text="As in the column.")
    category = serializers.CharField(
        required=False,
        max_length=120,
        help_text="A tag: a column category_tag.… without that beginning.",
    )
    excluded = Choice(
        choices=YES_NO, required=False, help_text="Only votes that do not count, or only others."
    )
    segment = serializers.RegexField(
        r"^[0-9a-f]{6,64}$",
        required=False,
        help_text="A segment's SHA-256 or its first six characters or more.",
        error_messages={"invalid": "It takes 6 to 64 characters of a segment's SHA-256."},
    )
    names = Choice(
        choices=YES_NO,
        required=False,
        default="no",
        help_text="yes adds a column vote: the name that exclusions know the vote by.",
    )
    text = Choice(
        choices=YES_NO,
        required=False,
        default="no",
        help_text="yes adds the conversations, where the operator publishes them or the token's "
        "user has battles.view_turn.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "since" in attrs and "until" in attrs and attrs["since"] > attrs["until"]:
            raise serializers.ValidationError({"until": "It is before since."})
        return attrs


class OfExclusions(Paged):
    vote = serializers.CharField(required=False, max_length=90)
    rule = serializers.CharField(required=False, max_length=40)
    standing = Choice(
        choices=YES_NO, required=False, help_text="yes: only those in force; no: only lifted ones."
    )


class OfAudit(Paged):
    action = serializers.CharField(
        required=False, max_length=60, help_text="An action, e.g. votes.exclude."
    )
    since = Moment(required=False, help_text="Then or later.")


class OfExposure(Query):
    since = Moment(
        required=False, help_text="Battles begun then or later: a date, or a time (UTC)."
    )


class OfJobs(Paged):
    kind = serializers.CharField(required=False, max_length=40)
    state = Choice(choices=("queued", "running", "done", "failed", "cancelled"), required=False)


class OfContestants(Paged):
    status = Choice(choices=("draft", "active", "paused", "retired", "archived"), required=False)
