"""Votes as streams, their exclusions, and the audit log."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.utils.cache import patch_cache_control
from django.utils.http import quote_etag
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from arena.api import queries, serializers
from arena.api.permissions import VIEW_TEXT, require
from arena.api.renderers import Ndjson, Parquet
from arena.api.views.base import Api, lasting, suffixes, unchanged
from arena.catalog.selectors import names_meant
from arena.core.exceptions import BadInput, Unknown
from arena.core.models import AuditEntry
from arena.core.responses import file_response, stream_response
from arena.integrity.models import Exclusion
from arena.integrity.services import exclusion_lift, votes_exclude
from arena.integrity.streams import (
    VoteFilter,
    VotesStream,
    as_ndjson,
    as_parquet,
    segment_open,
    votes_stream,
)

MAKING: dict[str, Callable[[VotesStream], Iterator[bytes]]] = {
    "ndjson": as_ndjson,
    "parquet": as_parquet,
}


SHA256 = OpenApiParameter(
    "sha256",
    str,
    OpenApiParameter.PATH,
    required=True,
    pattern="^[0-9a-f]{64}$",
    description="As the document of a publication names it.",
)
VOTE_FORMS: dict[Any, Any] = {
    (200, Ndjson.media_type): OpenApiTypes.STR,
    (200, Parquet.media_type): OpenApiTypes.BINARY,
}


class Votes(Api):
    """Votes in the field's 140k column names and ours, in the order of the chain."""

    permissions = {"GET": ("integrity.view_segment",)}
    query = queries.OfVotes
    renderer_classes = (Ndjson, Parquet)
    tag = "Votes"

    @extend_schema(
        parameters=[queries.OfVotes],
        responses=VOTE_FORMS,
    )
    def get(self, request: Request, **suffix: str) -> HttpResponseBase:
        wanted = filter_of(self.asked)
        if wanted.texts and not settings.PUBLISH_TEXT:
            require(request, VIEW_TEXT, "The text of conversations")
        stream = votes_stream(wanted)
        form = request.accepted_renderer
        etag = quote_etag(name_of(stream, form.format))
        if same := unchanged(request, etag):
            return tagged(same, etag, wanted)
        response = stream_response(
            request._request, MAKING[form.format](stream), content_type=form.media_type
        )
        response["Content-Disposition"] = f'attachment; filename="votes.{form.format}"'
        return tagged(response, etag, wanted)


class VotesFile(Votes):
    """The same with the form as a suffix: ndjson or parquet."""

    @extend_schema(parameters=[queries.OfVotes, suffixes(Votes)], responses=VOTE_FORMS)
    def get(self, request: Request, **suffix: str) -> HttpResponseBase:
        return super().get(request)


def filter_of(asked: dict[str, Any]) -> VoteFilter:
    excluded = asked.get("excluded")
    return VoteFilter(
        since=asked.get("since"),
        until=asked.get("until"),
        contestants=tuple(names_of(asked.get("contestant", []))),
        winner=asked.get("winner", ""),
        language=asked.get("language", ""),
        category=asked.get("category", ""),
        excluded=None if excluded is None else excluded == "yes",
        segment=asked.get("segment", ""),
        names=asked["names"] == "yes",
        texts=asked["text"] == "yes",
    )


def names_of(contestants: list[str]) -> Iterator[str]:
    try:
        for contestant in contestants:
            yield from names_meant(contestant)
    except Unknown as error:
        raise BadInput(f"contestant: {error.message}") from error


def name_of(stream: VotesStream, form: str) -> str:
    """Names these votes in this form."""
    what = json.dumps([stream.state, repr(stream.wanted), form, repr(stream.schema)])
    return hashlib.sha256(what.encode()).hexdigest()[:32]


def tagged(response: Any, etag: str, wanted: VoteFilter) -> HttpResponseBase:
    """Texts are erased on request, so a client that kept them is never told they are the same."""
    response["ETag"] = etag
    patch_cache_control(response, private=True, no_store=wanted.texts, no_cache=True)
    return response


class SegmentFile(Api):
    """A sealed file of votes as it lies, for readers of Parquet: it never changes.

    Exclusions are not in it; the document of a publication names them.
    """

    permissions = {"GET": ("integrity.view_segment",)}
    renderer_classes = (Parquet,)
    tag = "Votes"

    @extend_schema(parameters=[SHA256], responses={(200, Parquet.media_type): OpenApiTypes.BINARY})
    def get(self, request: Request, sha256: str) -> HttpResponseBase:
        if same := unchanged(request, quote_etag(sha256)):
            return lasting(same, sha256)
        file = segment_open(sha256)
        response = file_response(
            request._request,
            file,
            size=os.fstat(file.fileno()).st_size,
            content_type=Parquet.media_type,
        )
        return lasting(response, sha256)


class Exclusions(Api):
    """Why votes do not count: those in force and those lifted, the newest first."""

    permissions = {
        "GET": ("integrity.view_exclusion",),
        "POST": ("integrity.add_exclusion",),
    }
    query = queries.OfExclusions
    tag = "Exclusions"

    @extend_schema(
        parameters=[queries.OfExclusions],
        responses={200: serializers.page_of(serializers.ExclusionRow)},
    )
    def get(self, request: Request) -> Response:
        rows = Exclusion.objects.select_related("actor", "lifted_by")
        rows = rows.filter(**{n: self.asked[n] for n in ("vote", "rule") if n in self.asked})
        if "standing" in self.asked:
            rows = rows.filter(lifted_at__isnull=self.asked["standing"] == "yes")
        return self.page(rows, serializers.ExclusionRow)

    @extend_schema(
        request=serializers.NewExclusions,
        responses={201: serializers.Excluded, 200: serializers.Excluded},
    )
    def post(self, request: Request) -> Response:
        """Take votes out of the count. What the rule already names is not named again."""
        body = self.body(serializers.NewExclusions)
        added = votes_exclude(**body, actor=request.user)
        return Response({"added": added}, status=201 if added else 200)


class Lift(Api):
    """Let a vote count again."""

    permissions = {"POST": ("integrity.change_exclusion",)}
    tag = "Exclusions"

    @extend_schema(request=serializers.Reason, responses={200: serializers.ExclusionRow})
    def post(self, request: Request, pk: int) -> Response:
        body = self.body(serializers.Reason)
        lifted = exclusion_lift(pk=pk, reason=body["reason"], actor=request.user)
        return Response(serializers.ExclusionRow(lifted).data)


class Audit(Api):
    """Who changed what, and when; the newest first."""

    permissions = {"GET": ("core.view_auditentry",)}
    query = queries.OfAudit
    tag = "Audit"

    @extend_schema(
        parameters=[queries.OfAudit], responses={200: serializers.page_of(serializers.AuditRow)}
    )
    def get(self, request: Request) -> Response:
        rows = AuditEntry.objects.select_related("actor")
        if "action" in self.asked:
            rows = rows.filter(action=self.asked["action"])
        if "since" in self.asked:
            rows = rows.filter(at__gte=self.asked["since"])
        return self.page(rows, serializers.AuditRow)
