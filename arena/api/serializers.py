"""What the API takes and returns."""

from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from arena.catalog.models import (
    KEY_VARIABLE,
    Contestant,
    Kind,
    Licence,
    Revision,
    Stage,
    Status,
)
from arena.core.models import AuditEntry, Job
from arena.integrity.models import Exclusion
from arena.leaderboard.models import BoardName, Snapshot, Standing

MOST_VOTES = 10_000


# -- Bodies ----------------------------------------------------------------------------------


class Body(serializers.Serializer[Any]):
    """A JSON object of a request; a field that it does not take is refused and not ignored."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        takes = {name for name, field in self.fields.items() if not field.read_only}
        if isinstance(data, dict) and (unknown := sorted(set(map(str, data)) - takes)):
            raise serializers.ValidationError(
                {unknown[0][:40]: f"There is no such field. It takes: {', '.join(sorted(takes))}."}
            )
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """Text and nothing that could be written as text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """true or false, and not what could stand for them."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Nothing(Body):
    """An empty object, or no body at all."""


class NewLedger(Body):
    before = Text(max_length=64, help_text="Digest of the earlier publication, or its beginning.")
    after = Text(max_length=64, help_text="Digest of the later publication, or its beginning.")
    board = serializers.ChoiceField(
        BoardName.values, required=False, help_text="Default: the later one's default board."
    )


class NewImport(Body):
    file = Text(max_length=300, help_text="A file in the import folder, by its name.")
    skip_bad = Flag(default=False, help_text="Leave out rows that cannot be used, and count them.")
    dry_run = Flag(default=False, help_text="Read and report, and write nothing.")


class NewUpload(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="A file of votes.", max_length=300)
    skip_bad = serializers.BooleanField(default=False)
    dry_run = serializers.BooleanField(default=False)


class NewExclusions(Body):
    votes = serializers.ListField(
        child=Text(max_length=90),
        min_length=1,
        max_length=MOST_VOTES,
        help_text="Names of votes, as GET /votes?names=yes gives them.",
    )
    rule = serializers.RegexField(
        r"^[a-z][a-z0-9_-]{0,39}$",
        help_text="One word that boards count these votes under, e.g. rigged.",
        error_messages={"invalid": "It takes a word of small letters, digits, _ and -."},
    )
    reason = Text(max_length=2000, help_text="Why. It stands in the audit log.")


class Reason(Body):
    reason = Text(max_length=2000, help_text="Why. It stands in the audit log.")


class Aliases(serializers.ListField):
    child = Text(max_length=200)


class ContestantFields(Body):
    organisation = Text(
        required=False,
        allow_blank=True,
        max_length=120,
        help_text="Its name; made where it is new.",
    )
    licence = serializers.ChoiceField(Licence.choices, required=False, allow_blank=True)
    parameters = Text(required=False, allow_blank=True, max_length=40)
    context_tokens = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=2**31 - 1
    )
    price_in = serializers.DecimalField(
        required=False,
        allow_null=True,
        max_digits=9,
        decimal_places=3,
        min_value=0,
        help_text="$ per million tokens.",
    )
    price_out = serializers.DecimalField(
        required=False,
        allow_null=True,
        max_digits=9,
        decimal_places=3,
        min_value=0,
        help_text="$ per million tokens.",
    )
    released_on = serializers.DateField(required=False, allow_null=True)
    status = serializers.ChoiceField(Status.choices, required=False)
    aliases = Aliases(required=False, max_length=50)
    accepts_images = Flag(required=False, help_text="Whether it may be asked about pictures.")


class NewContestant(ContestantFields):
    name = Text(max_length=200)
    slug = serializers.RegexField(
        r"^[-a-z0-9_]+$",
        required=False,
        max_length=220,
        help_text="Default: made from the name.",
        error_messages={"invalid": "It takes small letters, digits, - and _."},
    )


class ContestantChanges(ContestantFields):
    name = Text(required=False, max_length=200)


class NewRevision(Body):
    name = Text(max_length=200, help_text="Its name on boards and in files of votes.")
    kind = serializers.ChoiceField(Kind.choices)
    stage = serializers.ChoiceField(Stage.choices, required=False, allow_blank=True)
    family = serializers.RegexField(
        r"^[-a-zA-Z0-9_]+$", required=False, max_length=220, help_text="Default: the slug."
    )
    endpoint = Text(
        required=False,
        allow_blank=True,
        max_length=500,
        help_text="For kinds openai and anthropic: the server's, up to and with /v1. Staff only.",
    )
    key_env = serializers.RegexField(
        KEY_VARIABLE,
        required=False,
        allow_blank=True,
        max_length=80,
        help_text="Environment variable that holds its key, …_KEY or …_TOKEN. Staff only.",
        error_messages={"invalid": "It takes the name of a variable that ends in _KEY or _TOKEN."},
    )
    remote_model = Text(required=False, allow_blank=True, max_length=200)
    system_prompt = Text(
        required=False, allow_blank=True, max_length=100_000, trim_whitespace=False
    )
    decoding = serializers.DictField(
        required=False, help_text='How it samples, e.g. {"temperature": 0.7}.'
    )

    def validate_decoding(self, value: dict[str, Any]) -> dict[str, Any]:
        refuse_unstorable(value)
        return value


def refuse_unstorable(value: Any) -> None:
    """What JSON can spell and a database cannot keep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            refuse_unstorable(key)
            refuse_unstorable(inner)
    elif isinstance(value, list):
        for inner in value:
            refuse_unstorable(inner)
    elif isinstance(value, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
        raise serializers.ValidationError("Text must hold no NUL and no half of a character.")


# -- Pages -----------------------------------------------------------------------------------


def page_of(row: type[serializers.BaseSerializer[Any]]) -> type[serializers.Serializer[Any]]:
    """A page of rows, with the addresses of its neighbours."""
    fields = {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": row(many=True),
    }
    return type(f"{row.__name__}Page", (serializers.Serializer,), fields)


# -- Boards ----------------------------------------------------------------------------------


class BoardLink(serializers.Serializer[Any]):
    board = serializers.CharField()
    category = serializers.CharField()
    controls = serializers.ListField(child=serializers.CharField())
    snapshot = serializers.CharField()
    published_at = serializers.DateTimeField()
    json = serializers.URLField()
    csv = serializers.URLField()
    parquet = serializers.URLField()
    catalog = serializers.URLField()


class StandingRow(serializers.Serializer[Any]):
    contestant = serializers.CharField()
    slug = serializers.CharField()
    organisation = serializers.CharField(required=False)
    licence = serializers.CharField(required=False)
    stage = serializers.CharField(required=False)
    family = serializers.CharField(required=False)
    rank = serializers.IntegerField()
    rank_lower = serializers.IntegerField(allow_null=True)
    rank_upper = serializers.IntegerField(allow_null=True)
    rating = serializers.FloatField()
    se = serializers.FloatField()
    se_unclustered = serializers.FloatField()
    rating_lower = serializers.FloatField()
    rating_upper = serializers.FloatField()
    theta = serializers.FloatField()
    votes = serializers.IntegerField()
    raw_rank = serializers.IntegerField(required=False)
    raw_rating = serializers.FloatField(required=False)
    moved_ranks = serializers.IntegerField(required=False)
    moved_rating = serializers.FloatField(required=False)
    moved_half = serializers.FloatField(required=False)


class UnplacedRow(serializers.Serializer[Any]):
    contestant = serializers.CharField()
    slug = serializers.CharField()
    votes = serializers.IntegerField()
    reason = serializers.CharField()
    wins = serializers.IntegerField()
    losses = serializers.IntegerField()
    ties = serializers.IntegerField()
    group = serializers.IntegerField()
    bound = serializers.FloatField(allow_null=True)


class CoefficientRow(serializers.Serializer[Any]):
    name = serializers.CharField()
    value = serializers.FloatField()
    se = serializers.FloatField()
    lower = serializers.FloatField()
    upper = serializers.FloatField()
    scale = serializers.FloatField()
    elo = serializers.FloatField()


class Board(serializers.Serializer[Any]):
    snapshot = serializers.CharField()
    board = serializers.CharField()
    category = serializers.CharField()
    published_at = serializers.DateTimeField()
    engine = serializers.CharField()
    simulated_votes = serializers.IntegerField()
    spec = serializers.DictField()
    counts = serializers.DictField()
    clustered = serializers.BooleanField()
    effective_voters = serializers.FloatField(allow_null=True)
    coefficients = CoefficientRow(many=True)
    position = CoefficientRow(allow_null=True)
    warnings = serializers.ListField(child=serializers.CharField())
    standings = StandingRow(many=True)
    unplaced = UnplacedRow(many=True)


class SnapshotRow(serializers.ModelSerializer[Snapshot]):
    segments_head = serializers.CharField(source="head")
    document = serializers.SerializerMethodField()

    class Meta:
        model = Snapshot
        fields = (
            *("number", "digest", "previous", "segments_head", "engine", "category", "counted"),
            *("published_at", "document"),
        )

    def get_document(self, snapshot: Snapshot) -> str:
        return address(self, "api:snapshot", digest=snapshot.digest)


class StandingOf(serializers.ModelSerializer[Standing]):
    snapshot = serializers.CharField(source="snapshot.digest")
    published_at = serializers.DateTimeField(source="snapshot.published_at")
    contestant = serializers.CharField(source="revision.name")
    slug = serializers.CharField(source="revision.contestant.slug")

    class Meta:
        model = Standing
        fields = (
            *("snapshot", "published_at", "board", "contestant", "slug", "rank", "rank_lower"),
            *("rank_upper", "rating", "se", "rating_lower", "rating_upper", "votes", "reason"),
        )


class MovementRow(serializers.Serializer[Any]):
    contestant = serializers.CharField()
    raw_rank = serializers.IntegerField()
    controlled_rank = serializers.IntegerField()
    ranks = serializers.IntegerField(help_text="Places gained by controlling for style; + is up.")
    raw_rating = serializers.FloatField()
    controlled_rating = serializers.FloatField()
    rating = serializers.FloatField(help_text="Points gained.")
    se = serializers.FloatField()
    lower = serializers.FloatField()
    upper = serializers.FloatField()


class Movements(serializers.Serializer[Any]):
    snapshot = serializers.CharField()
    movements = MovementRow(many=True)


class Matrix(serializers.ListField):
    child = serializers.ListField(child=serializers.FloatField(allow_null=True))


class WinRates(serializers.Serializer[Any]):
    snapshot = serializers.CharField()
    board = serializers.CharField()
    contestants = serializers.ListField(child=serializers.CharField())
    votes = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))
    observed = Matrix()
    predicted = Matrix()


# -- Exposure --------------------------------------------------------------------------------


class ExposedRow(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="Empty where none is stated.")
    slug = serializers.CharField()
    organisation = serializers.CharField()
    stage = serializers.CharField()
    battles = serializers.IntegerField(help_text="Battles that showed it.")
    places = serializers.IntegerField(help_text="Sides of battles; each battle has two.")
    votes = serializers.IntegerField()
    share = serializers.FloatField(help_text="Of all places.")
    expected = serializers.FloatField(
        allow_null=True, help_text="The share that an even drawing would have given it."
    )


class ChanceRow(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="Empty where none is stated.")
    slug = serializers.CharField()
    organisation = serializers.CharField()
    stage = serializers.CharField()
    chance = serializers.FloatField(help_text="That the next battle shows it.")
    even = serializers.FloatField(help_text="The same, were all pairs drawn alike.")


class PoolRow(serializers.Serializer[Any]):
    prompts = serializers.CharField(source="name", help_text="On which prompts these are drawn.")
    pairs = serializers.IntegerField(help_text="That may be drawn.")
    aa_share = serializers.FloatField(source="alone", help_text="Of draws, of one against itself.")
    organisations = ChanceRow(many=True)
    contestants = ChanceRow(many=True)


class Share(serializers.Serializer[Any]):
    share = serializers.FloatField()
    lower = serializers.FloatField()
    upper = serializers.FloatField()


class Alone(serializers.Serializer[Any]):
    battles = serializers.IntegerField()
    votes = serializers.IntegerField()
    outcomes = serializers.DictField(child=serializers.IntegerField())
    decided = Share(allow_null=True)
    left = Share(allow_null=True)


class Exposure(serializers.Serializer[Any]):
    since = serializers.DateTimeField(source="exposure.since", allow_null=True)
    battles = serializers.IntegerField(source="exposure.battles")
    votes = serializers.IntegerField(source="exposure.votes")
    effective_battles = serializers.FloatField(source="exposure.effective")
    organisations = ExposedRow(source="exposure.organisations", many=True)
    stages = ExposedRow(source="exposure.stages", many=True)
    contestants = ExposedRow(source="exposure.contestants", many=True)
    now = PoolRow(many=True)
    aa = Alone()


# -- Catalog ---------------------------------------------------------------------------------


class ContestantRow(serializers.ModelSerializer[Contestant]):
    organisation = serializers.CharField(
        source="organisation.name", allow_null=True, default=None, read_only=True
    )
    revisions = serializers.SerializerMethodField()

    class Meta:
        model = Contestant
        fields = (
            *("slug", "name", "organisation", "licence", "parameters", "context_tokens"),
            *("price_in", "price_out", "released_on", "status", "aliases", "accepts_images"),
            *("simulated", "created_at", "revisions"),
        )

    aliases = serializers.ListField(child=serializers.CharField())

    def get_revisions(self, contestant: Contestant) -> str:
        return address(self, "api:contestant-revisions", slug=contestant.slug)


class RevisionRow(serializers.ModelSerializer[Revision]):
    """Where it is served from is for staff; the key itself is nowhere."""

    contestant = serializers.CharField(source="contestant.slug")
    decoding = serializers.DictField()

    class Meta:
        model = Revision
        fields = (
            *("id", "contestant", "number", "name", "stage", "family", "kind", "remote_model"),
            *("system_prompt", "decoding", "identity", "created_at", "endpoint", "key_env"),
        )
        extra_kwargs = {"endpoint": {"required": False}, "key_env": {"required": False}}

    def to_representation(self, instance: Revision) -> dict[str, Any]:
        shown = super().to_representation(instance)
        if not self.context["request"].user.is_staff:
            del shown["endpoint"], shown["key_env"]
        return shown


# -- Jobs, exclusions, the audit log ---------------------------------------------------------


class JobRow(serializers.ModelSerializer[Job]):
    actor = serializers.CharField(source="actor.username", default=None, allow_null=True)
    params = serializers.DictField()
    result = serializers.DictField(allow_null=True)

    class Meta:
        model = Job
        fields = (
            *("id", "kind", "params", "state", "done", "message", "result", "error", "actor"),
            *("attempts", "created_at", "started_at", "ended_at"),
        )


class Excluded(serializers.Serializer[Any]):
    added = serializers.IntegerField(help_text="Votes that this rule did not name before.")


class ExclusionRow(serializers.ModelSerializer[Exclusion]):
    actor = serializers.CharField(source="actor.username", default=None, allow_null=True)
    lifted_by = serializers.CharField(source="lifted_by.username", default=None, allow_null=True)

    class Meta:
        model = Exclusion
        fields = ("id", "vote", "rule", "reason", "actor", "created_at", "lifted_at", "lifted_by")


class AuditRow(serializers.ModelSerializer[AuditEntry]):
    actor = serializers.CharField(source="actor.username", default=None, allow_null=True)
    detail = serializers.DictField()

    class Meta:
        model = AuditEntry
        fields = ("id", "at", "actor", "action", "subject", "detail")


class Health(serializers.Serializer[Any]):
    status = serializers.CharField()
    version = serializers.CharField()
    database = serializers.BooleanField(required=False)
    cache = serializers.BooleanField(required=False)
    segments = serializers.IntegerField(required=False)
    segments_missing = serializers.ListField(child=serializers.CharField(), required=False)
    unsealed_votes = serializers.IntegerField(required=False)
    last_refit = serializers.DateTimeField(required=False, allow_null=True)
    last_publication = serializers.DateTimeField(required=False, allow_null=True)
    queued_jobs = serializers.IntegerField(required=False)
    running_jobs = serializers.IntegerField(required=False)
    stale_workers = serializers.IntegerField(required=False)


def address(serializer: serializers.BaseSerializer[Any], name: str, **parts: Any) -> str:
    return reverse(name, kwargs=parts, request=serializer.context["request"])
