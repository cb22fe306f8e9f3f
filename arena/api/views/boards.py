"""Boards, publications and what they say."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import patch_cache_control
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from arena.api import queries, serializers
from arena.api.pagination import NewestNumber, OldestFirst
from arena.api.renderers import CatalogJson, Csv, Parquet
from arena.api.views.base import YEAR, Api, lasting, suffixes
from arena.api.views.jobs import asked_for
from arena.catalog.selectors import names_meant
from arena.leaderboard import archive
from arena.leaderboard.choosing import category_view, view_named
from arena.leaderboard.exports import board_catalog, board_csv, board_data, board_parquet, published
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import (
    CURRENT,
    board_name,
    movements_of,
    snapshot_get,
    standings_of,
)
from arena.leaderboard.viewing import OVERALL, View, choices_of
from arena.leaderboard.winrates import win_rates

READING = ("leaderboard.view_snapshot",)
MAKING: dict[str, Callable[[Fitted, View], Any]] = {
    "json": board_data,
    "csv": board_csv,
    "parquet": board_parquet,
    "catalog.json": board_catalog,
}


DIGEST = OpenApiParameter(
    "digest",
    str,
    OpenApiParameter.PATH,
    required=True,
    pattern="^[0-9a-f]{6,64}$",
    description="A publication's digest, or its first six characters or more.",
)
BOARD = OpenApiParameter(
    "board", str, OpenApiParameter.PATH, required=True, enum=[CURRENT, *BoardName.values]
)
CATALOG_FORM = {
    "type": "object",
    "description": "Models by category.",
    "additionalProperties": {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "required": ["rating", "rating_q975", "rating_q025"],
            "properties": {
                name: {"type": "number"} for name in ("rating", "rating_q975", "rating_q025")
            },
        },
    },
}
BOARD_FORMS: dict[Any, Any] = {
    (200, "application/json"): serializers.Board,
    (200, Csv.media_type): OpenApiTypes.STR,
    (200, Parquet.media_type): OpenApiTypes.BINARY,
    (200, CatalogJson.media_type): CATALOG_FORM,
}


class FromDocument(Api):
    """What is computed from a publication's document alone."""

    def kept(self, response: Response, snapshot: Fitted) -> Response:
        """It never changes at an address that names the publication whole."""
        if self.asked["snapshot"] == snapshot.digest:
            patch_cache_control(response, private=True, max_age=YEAR, immutable=True)
        return response


class Boards(Api):
    """The boards of a publication, of all votes and of every category, with their addresses."""

    permissions = {"GET": READING}
    query = queries.OfSnapshot
    tag = "Boards"

    @extend_schema(
        parameters=[queries.OfSnapshot], responses={200: serializers.BoardLink(many=True)}
    )
    def get(self, request: Request) -> Response:
        snapshot = snapshot_get(self.asked["snapshot"])
        categories = (OVERALL, *choices_of(snapshot).categories)
        views = [category_view(snapshot, name) for name in categories]
        named = [
            (view.category, name)
            for view in views
            for name in snapshot.content["boards"]
            if name == BoardName.RAW or view.has_controlled
        ]
        return Response([link(request, snapshot, category, name) for category, name in named])


def link(request: Request, snapshot: Fitted, category: str, name: str) -> dict[str, Any]:
    where = reverse("api:board", kwargs={"board": name}, request=request)
    asked = {"snapshot": snapshot.digest} | ({"category": category} if category != OVERALL else {})
    forms = {
        form: f"{where.removesuffix('/')}.{suffix}?{urlencode(asked)}"
        for form, suffix in (
            *(("json", "json"), ("csv", "csv"), ("parquet", "parquet")),
            ("catalog", "catalog.json"),
        )
    }
    return {
        "board": name,
        "category": category,
        "controls": snapshot.content["boards"][name]["spec"]["controls"],
        "snapshot": snapshot.digest,
        "published_at": published(snapshot),
        **forms,
    }


class Board(Api):
    """One board: current is the default board, controlled and raw are named ones."""

    permissions = {"GET": READING}
    query = queries.OfBoardFile
    renderer_classes = (JSONRenderer, Csv, Parquet, CatalogJson)
    tag = "Boards"

    @extend_schema(
        parameters=[queries.OfBoardFile, BOARD],
        responses=BOARD_FORMS,
    )
    def get(self, request: Request, board: str, **suffix: str) -> Response:
        snapshot = snapshot_get(self.asked["snapshot"])
        view = view_named(
            snapshot,
            board,
            category=self.asked.get("category", ""),
            controls=self.asked.get("controls", ""),
        )
        return Response(MAKING[request.accepted_renderer.format](snapshot, view))


class BoardFile(Board):
    """The same with the form as a suffix: json, csv, parquet, or the field's catalog.json."""

    @extend_schema(parameters=[queries.OfBoardFile, BOARD, suffixes(Board)], responses=BOARD_FORMS)
    def get(self, request: Request, board: str, **suffix: str) -> Response:
        return super().get(request, board)


class Catalog(Api):
    """The default boards of all votes and of every category, as the field's catalog JSON."""

    permissions = {"GET": READING}
    query = queries.OfSnapshot
    tag = "Boards"

    @extend_schema(parameters=[queries.OfSnapshot], responses={200: CATALOG_FORM})
    def get(self, request: Request) -> Response:
        snapshot = snapshot_get(self.asked["snapshot"])
        categories = (OVERALL, *choices_of(snapshot).categories)
        views = [view_named(snapshot, CURRENT, category=name) for name in categories]
        return Response(board_catalog(snapshot, *views))


class Snapshots(Api):
    """All publications, the newest first."""

    permissions = {"GET": READING}
    query = queries.Paged
    pagination = NewestNumber
    tag = "Publications"

    @extend_schema(
        parameters=[queries.Paged], responses={200: serializers.page_of(serializers.SnapshotRow)}
    )
    def get(self, request: Request) -> Response:
        return self.page(archive.snapshots(), serializers.SnapshotRow)


class Snapshot(Api):
    """One publication, whole: the very bytes that its digest stands for, with that digest."""

    permissions = {"GET": READING}
    tag = "Publications"

    @extend_schema(parameters=[DIGEST], responses={(200, "application/json"): OpenApiTypes.OBJECT})
    def get(self, request: Request, digest: str) -> HttpResponseBase:
        snapshot = snapshot_get(digest)
        text = archive.snapshot_file(snapshot)
        response = HttpResponse(text, content_type="application/json")
        # A short name may come to mean another publication.
        whole = digest == snapshot.digest
        return lasting(response, digest) if whole else response


class Standings(Api):
    """Places on boards; with a contestant and no snapshot its history, the oldest first."""

    permissions = {"GET": READING}
    query = queries.OfStandings
    pagination = OldestFirst
    tag = "Boards"

    @extend_schema(
        parameters=[queries.OfStandings],
        responses={200: serializers.page_of(serializers.StandingOf)},
    )
    def get(self, request: Request) -> Response:
        asked = self.asked
        contestant, named = asked.get("contestant", ""), asked.get("snapshot", "")
        rows = standings_of(
            None if contestant and not named else snapshot_get(named),
            board=asked.get("board", ""),
            revisions=names_meant(contestant) if contestant else None,
        )
        return self.page(rows, serializers.StandingOf)


class Movements(FromDocument):
    """How far control of style moves each contestant, from raw to controlled."""

    permissions = {"GET": READING}
    query = queries.OfSnapshot
    tag = "Movement"

    @extend_schema(parameters=[queries.OfSnapshot], responses={200: serializers.Movements})
    def get(self, request: Request) -> Response:
        snapshot = snapshot_get(self.asked["snapshot"])
        response = Response({"snapshot": snapshot.digest, "movements": movements_of(snapshot)})
        return self.kept(response, snapshot)


class WinRates(FromDocument):
    """Who beats whom: matrices of votes, observed shares and predicted ones."""

    permissions = {"GET": READING}
    query = queries.OfBoard
    tag = "Boards"

    @extend_schema(parameters=[queries.OfBoard], responses={200: serializers.WinRates})
    def get(self, request: Request) -> Response:
        snapshot = snapshot_get(self.asked["snapshot"])
        board = board_name(snapshot, self.asked.get("board", ""))
        return self.kept(Response(win_rates(snapshot, board)), snapshot)


class Ledgers(Api):
    """What moved contestants from one publication to another, as a job."""

    permissions = {"POST": (*READING, "core.add_job")}
    tag = "Movement"

    @extend_schema(
        request=serializers.NewLedger,
        responses={202: serializers.JobRow, 200: serializers.JobRow},
    )
    def post(self, request: Request) -> Response:
        body = self.body(serializers.NewLedger)
        before, after = snapshot_get(body["before"]), snapshot_get(body["after"])
        board = board_name(after, body.get("board", ""))
        board_name(before, board)
        params = {"before": before.digest, "after": after.digest, "board": board.value}
        return asked_for(request, "ledger", params)
