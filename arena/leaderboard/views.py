"""The board, its downloads, the archive, and what the battle page shows after a vote."""

import uuid

from django.core.files import File
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import etag, require_safe

from arena.core.exceptions import Unknown
from arena.core.responses import file_response, stream_response
from arena.leaderboard import archive
from arena.leaderboard.boards import board_page
from arena.leaderboard.exceptions import NothingPublished
from arena.leaderboard.exports import board_csv, board_data
from arena.leaderboard.mine import my_page
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.reveal import reveal as reveal_of
from arena.leaderboard.selectors import (
    DRAFT,
    battle_revealed,
    board_name,
    draft_exists,
    draft_get,
    snapshot_get,
)
from arena.leaderboard.takeout import votes_csv, votes_json
from arena.voters.models import Voter
from arena.voters.selectors import voter_by_key
from arena.voters.services import voter_key, voter_known


def asked_for(request: HttpRequest) -> tuple[Fitted, BoardName]:
    name = request.GET.get("snapshot", "")
    # For everybody but staff a draft is a publication that does not exist.
    snapshot = draft_get() if name == DRAFT and is_staff(request) else snapshot_get(name)
    return snapshot, board_name(snapshot, request.GET.get("board", ""))


def is_staff(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.is_staff


def kept_from_caches(response: HttpResponse, snapshot: Fitted) -> HttpResponse:
    """A draft is for the one who asked, and only now."""
    if snapshot.is_draft:
        add_never_cache_headers(response)
    return response


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    staff = is_staff(request)
    shown = {"is_staff": staff, "has_draft": staff and draft_exists()}
    try:
        snapshot, name = asked_for(request)
    except NothingPublished as nothing:
        return render(request, "leaderboard/board.html", shown | {"nothing": nothing})
    page = board_page(snapshot, name)
    response = render(request, "leaderboard/board.html", shown | {"page": page})
    return kept_from_caches(response, snapshot)


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
    return kept_from_caches(response, snapshot)


@require_safe
@never_cache
def reveal(request: HttpRequest, battle_id: uuid.UUID) -> HttpResponse:
    shown = reveal_of(battle_revealed(battle_id, voter_known(request.COOKIES)))
    return render(request, "leaderboard/_reveal.html", {"reveal": shown})


# -- Archive ---------------------------------------------------------------------------------


@require_safe
def archive_index(request: HttpRequest) -> HttpResponse:
    page = archive.index(request.GET.get("page", ""), request.build_absolute_uri)
    return render(request, "leaderboard/archive.html", {"page": page})


@require_safe
def archive_publication(request: HttpRequest, name: str) -> HttpResponse:
    shown = archive.publication(snapshot_get(name), request.build_absolute_uri)
    return render(request, "leaderboard/publication.html", {"shown": shown})


@require_safe
def archive_list(request: HttpRequest, digest: str) -> HttpResponse:
    """Addresses of all files of a publication, one a line, for `wget -i` and `curl`."""
    return plain(archive.addresses([snapshot_get(digest)], request.build_absolute_uri))


@require_safe
def archive_list_of_all(request: HttpRequest) -> HttpResponse:
    return plain(archive.addresses(archive.snapshots(), request.build_absolute_uri))


def plain(lines: list[str]) -> HttpResponse:
    text = "".join(f"{line}\n" for line in lines)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_safe
@etag(lambda request, digest: f'"{digest}"')
def archive_snapshot(request: HttpRequest, digest: str) -> HttpResponseBase:
    """The very bytes whose digest the publication bears, with that digest in them."""
    text = archive.snapshot_file(snapshot_get(digest))
    return immutable(HttpResponse(text, content_type="application/json"))


@require_safe
@etag(lambda request, sha256: f'"{sha256}"')
def archive_segment(request: HttpRequest, sha256: str) -> HttpResponseBase:
    return immutable(parquet(request, archive.segment_file(sha256)))


def parquet(request: HttpRequest, file: "File[bytes]") -> HttpResponseBase:
    return file_response(request, file, size=file.size, content_type=archive.PARQUET)


def immutable(response: HttpResponseBase) -> HttpResponseBase:
    """The address is the content's digest, so nobody ever need ask again."""
    patch_cache_control(response, public=True, immutable=True, max_age=365 * 24 * 3600)
    return response


@require_safe
def archive_texts(request: HttpRequest, sha256: str) -> HttpResponseBase:
    """The texts of a segment's votes; texts are erased on request, so these bytes may change."""
    response = parquet(request, archive.texts_file(sha256))
    patch_cache_control(response, no_cache=True)
    return response


# -- The voter's own page --------------------------------------------------------------------


def holder(request: HttpRequest) -> Voter | None:
    """The voter of the visitor's cookie, if they ever began a battle."""
    key = voter_key(request.COOKIES)
    return voter_by_key(key) if key else None


@require_safe
@never_cache
def mine(request: HttpRequest) -> HttpResponse:
    voter = holder(request)
    page = my_page(voter, request.GET.get("page", "")) if voter else None
    return render(request, "leaderboard/mine.html", {"page": page})


@require_safe
@never_cache
def mine_download(request: HttpRequest, form: str) -> HttpResponseBase:
    voter = holder(request)
    if voter is None:
        raise Unknown(_("This browser has cast no votes here, so there are none to download."))
    if form == "csv":
        pieces, kind = votes_csv(voter), "text/csv; charset=utf-8"
    else:
        pieces, kind = votes_json(voter), "application/json"
    response = stream_response(request, pieces, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="my-votes.{form}"'
    return response
