"""Boards over the admin API."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from arena.api import serializers
from arena.core.exceptions import Unknown
from arena.leaderboard.exports import board_csv, board_data, published
from arena.leaderboard.selectors import board_name, snapshot_get

SNAPSHOT = OpenApiParameter(
    "snapshot", str, description="A publication's digest or its first characters; default latest."
)
PROBLEMS: dict[Any, Any] = {
    401: OpenApiResponse(description="No token, or one that is unknown, expired or revoked."),
    403: OpenApiResponse(description="The token's user lacks leaderboard.view_snapshot."),
    404: OpenApiResponse(description="No such publication or board; the text says what exists."),
}


class BoardsView(APIView):
    """The boards of a publication."""

    read_permission = "leaderboard.view_snapshot"

    @extend_schema(
        parameters=[SNAPSHOT], responses={200: serializers.BoardLink(many=True), **PROBLEMS}
    )
    def get(self, request: Request) -> Response:
        snapshot = snapshot_get(request.query_params.get("snapshot", ""))
        return Response([link(request, snapshot, name) for name in snapshot.content["boards"]])


def link(request: Request, snapshot: Any, name: str) -> dict[str, Any]:
    where = reverse("api:board", kwargs={"board": name}, request=request)
    return {
        "board": name,
        "snapshot": snapshot.digest,
        "published_at": published(snapshot),
        "json": f"{where}?snapshot={snapshot.digest}",
        "csv": f"{where.removesuffix('/')}.csv?snapshot={snapshot.digest}",
    }


class BoardView(APIView):
    """One board: `current` is the default board, `controlled` and `raw` are named ones."""

    read_permission = "leaderboard.view_snapshot"

    @extend_schema(parameters=[SNAPSHOT], responses={200: serializers.Board, **PROBLEMS})
    def get(self, request: Request, board: str) -> Response:
        snapshot = snapshot_get(request.query_params.get("snapshot", ""))
        return Response(board_data(snapshot, board_name(snapshot, wanted(board))))


class OneForm(BaseContentNegotiation):
    """The address says what comes back; what the client would accept changes nothing."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class BoardCsvView(APIView):
    """The same board as CSV, in the field's column names."""

    read_permission = "leaderboard.view_snapshot"
    content_negotiation_class = OneForm

    @extend_schema(
        parameters=[SNAPSHOT], responses={(200, "text/csv"): OpenApiTypes.STR, **PROBLEMS}
    )
    def get(self, request: Request, board: str) -> HttpResponse:
        snapshot = snapshot_get(request.query_params.get("snapshot", ""))
        text = board_csv(snapshot, board_name(snapshot, wanted(board)))
        return HttpResponse(text, content_type="text/csv; charset=utf-8")


class UnknownView(APIView):
    """Any other address under /api/v1/."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    content_negotiation_class = OneForm
    schema = None

    def get(self, request: Request, rest: str) -> Response:
        raise Unknown(f"There is no /api/v1/{rest[:80]}. /api/v1/schema/ lists what there is.")

    post = put = patch = delete = get


def wanted(board: str) -> str:
    return "" if board == "current" else board
