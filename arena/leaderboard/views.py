"""The board, its downloads, and what the battle page shows after a vote."""

import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from arena.leaderboard.boards import board_page
from arena.leaderboard.exceptions import NothingPublished
from arena.leaderboard.exports import board_csv, board_data
from arena.leaderboard.models import BoardName, Snapshot
from arena.leaderboard.reveal import reveal as reveal_of
from arena.leaderboard.selectors import battle_revealed, board_name, snapshot_get
from arena.voters.services import voter_from


def asked_for(request: HttpRequest) -> tuple[Snapshot, BoardName]:
    snapshot = snapshot_get(request.GET.get("snapshot", ""))
    return snapshot, board_name(snapshot, request.GET.get("board", ""))


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    try:
        page = board_page(*asked_for(request))
    except NothingPublished:
        page = None
    return render(request, "leaderboard/board.html", {"page": page})


@require_safe
def download(request: HttpRequest, form: str) -> HttpResponse:
    snapshot, name = asked_for(request)
    if form == "csv":
        response = HttpResponse(board_csv(snapshot, name), content_type="text/csv; charset=utf-8")
    else:
        response = JsonResponse(board_data(snapshot, name))
    invented = "simulated-" if snapshot.content["simulated_votes"] else ""
    file = f"tiltyard-{invented}{snapshot.short}-{name}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{file}"'
    return response


@require_safe
@never_cache
def reveal(request: HttpRequest, battle_id: uuid.UUID) -> HttpResponse:
    battle = battle_revealed(battle_id, voter_from(request.COOKIES))
    try:
        shown = reveal_of(snapshot_get(), battle)
    except NothingPublished:
        shown = None
    return render(request, "leaderboard/_reveal.html", {"reveal": shown})
