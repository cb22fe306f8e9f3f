"""The board, its downloads, the archive, and what the battle page shows after a vote."""

import re
import uuid

from django.core.files import File
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers, patch_cache_control, patch_vary_headers
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import etag, require_http_methods, require_safe

from arena.core.exceptions import Unknown
from arena.core.kept import is_for_part, kept_response
from arena.core.models import Job, JobState
from arena.core.responses import file_response, stream_response
from arena.leaderboard import archive, asking, feeds, sure
from arena.leaderboard.boards import board_address, board_page
from arena.leaderboard.exceptions import NoSuchBoard, NothingPublished
from arena.leaderboard.exports import view_csv, view_data
from arena.leaderboard.ledgers import ledger_of
from arena.leaderboard.mine import my_page
from arena.leaderboard.moved import (
    LEDGER,
    Question,
    account_of,
    document_of,
    entries,
    ledger_data,
    log_page,
    moved_page,
    question_of,
)
from arena.leaderboard.pictures import charts, file_name, picture
from arena.leaderboard.reveal import reveal as reveal_of
from arena.leaderboard.selectors import (
    battle_revealed,
    draft_exists,
    latest_digest,
    part_get,
    snapshot_get,
)
from arena.leaderboard.sure_pairs import fragility_want, matrix_of, pair_answer
from arena.leaderboard.sure_pairs import question_of as pair_question_of
from arena.leaderboard.takeout import votes_csv, votes_json
from arena.leaderboard.viewing import OVERALL, view_of
from arena.leaderboard.visits import is_staff, kept_from_caches, snapshot_asked
from arena.voters.models import Voter
from arena.voters.networks import address_of_request
from arena.voters.selectors import voter_by_key
from arena.voters.services import voter_key, voter_known
from ranking.outputs import as_csv, ledger_table

# How long a browser keeps the part of a board that it asked for ahead.
PART_SECONDS = 60
# What a kept board may be asked for: of each there are few. A search is endless.
KEPT_FOR = frozenset(
    {"board", "controls", "variant", "pooling", "rows", "sort", "licence", "stage"}
)
# A number of the log's pages; others are those of the first.
LOG_PAGE = re.compile(r"(?:[1-9][0-9]{0,2})?")


@require_safe
def board(request: HttpRequest, category: str = OVERALL) -> HttpResponse:
    """Kept where it is the same for everybody, and one of not too many that can be asked for."""
    latest = latest_digest()
    if latest is None or is_staff(request) or not KEPT_FOR.issuperset(request.GET):
        return board_made(request, category)
    # However an address spells its controls, it is one page.
    controls = sorted(set(",".join(request.GET.getlist("controls")).split(",")))
    others = {name: request.GET[name] for name in sorted(request.GET) if name != "controls"}
    asked = f"{'controls' in request.GET} {controls} {others}"
    name = f"board {latest} {category} {asked}"
    return kept_response(request, name, lambda: board_made(request, category))


def board_made(request: HttpRequest, category: str) -> HttpResponse:
    staff = is_staff(request)
    shown = {"is_staff": staff, "has_draft": staff and draft_exists()}
    try:
        snapshot = snapshot_asked(request)
    except NothingPublished as nothing:
        return render(request, "leaderboard/board.html", shown | {"nothing": nothing})
    if "category" in request.GET:
        # The form's select: a category has an address of its own.
        view = view_of(snapshot, request.GET, request.GET["category"] or OVERALL)
        return redirect(board_address(view) + view.query())
    view = view_of(snapshot, request.GET, category)
    page = board_page(snapshot, view)
    is_part = is_for_part(request)
    template = "leaderboard/_board.html" if is_part else "leaderboard/board.html"
    response = render(request, template, shown | {"page": page, "is_part": is_part})
    patch_vary_headers(response, ("HX-Request",))
    if is_part:
        response["HX-Push-Url"] = page.address
        # Asked for ahead, when somebody seems about to: it need not be asked for again.
        patch_cache_control(response, private=True, max_age=PART_SECONDS)
    return kept_from_caches(response, snapshot)


@require_safe
def board_path(request: HttpRequest) -> HttpResponse:
    """Ratings along the strength of control, for a page that moves its rows itself."""
    snapshot = snapshot_asked(request)
    path = part_get(snapshot, "path")
    if path is None:
        raise NoSuchBoard(_("In this publication no path leads from raw to controlled."))
    wanted = ("contestants", "strengths", "ratings")
    response = JsonResponse({name: path[name] for name in wanted})
    return kept_from_caches(response, snapshot)


@require_safe
def download(request: HttpRequest, form: str, category: str = OVERALL) -> HttpResponse:
    """The rows that the page of the same query shows, and all of them."""
    snapshot = snapshot_asked(request)
    view = view_of(snapshot, request.GET, category)
    if form == "csv":
        response = HttpResponse(view_csv(snapshot, view), content_type="text/csv; charset=utf-8")
    else:
        response = JsonResponse(view_data(snapshot, view))
    invented = "simulated-" if snapshot.content["simulated_votes"] else ""
    file = f"tiltyard-{invented}{snapshot.short}-{view.name}.{form}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file)
    return kept_from_caches(response, snapshot)


@require_safe
def board_picture(request: HttpRequest, form: str, category: str = OVERALL) -> HttpResponse:
    """The rows that the page of the same query shows, drawn."""
    snapshot = snapshot_asked(request)
    # What is unfolded on the page has no place in a picture.
    view = view_of(snapshot, request.GET, category).changed(opened=frozenset(), whole=True)
    named = view.changed(snapshot=snapshot.digest)
    response = picture(
        request,
        name=file_name(snapshot, view.name),
        of=f"board {category}{named.query()}",
        form=form,
        chart=lambda: charts().board_chart(snapshot, board_page(snapshot, view)),
    )
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
    snapshot = snapshot_get(name)
    parts = archive.parts_of(snapshot)
    shown = {
        "shown": archive.publication(snapshot, request.build_absolute_uri),
        "parts": parts,
        "pictures": archive.pictures_of(snapshot, parts),
    }
    return render(request, "leaderboard/publication.html", shown)


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
@etag(lambda request, digest: f'"{digest}"')
def archive_part(request: HttpRequest, digest: str) -> HttpResponseBase:
    """The very bytes of a part whose digest a publication's document names."""
    text = archive.part_file(digest)
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


# -- What moved ------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def moved(request: HttpRequest) -> HttpResponse:
    """POST has the ledger worked out that the address names."""
    try:
        question = question_of(request.GET)
    except NothingPublished as nothing:
        return render(request, "leaderboard/moved.html", {"nothing": nothing})
    if question.is_backwards:
        return redirect(question.turned().address)
    if request.method == "POST":
        return moved_wanted(request, question)
    page = moved_page(question)
    response = render(request, "leaderboard/moved.html", {"page": page})
    if page.account is None:
        add_never_cache_headers(response)
    return response


def moved_wanted(request: HttpRequest, question: Question) -> HttpResponse:
    if question.before is not None and not question.is_same:
        asking.job_wanted(kind=LEDGER, params=question.params, address=address_of_request(request))
    return redirect(question.address)


@require_safe
def moved_download(request: HttpRequest, form: str) -> HttpResponse:
    question = question_of(request.GET)
    if form == "csv":
        text = as_csv(ledger_table(ledger_of(document_of(question))))
        response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    else:
        response = JsonResponse(ledger_data(question))
    response["Content-Disposition"] = f'attachment; filename="{moved_file(question)}.{form}"'
    return response


def moved_file(question: Question) -> str:
    assert question.before is not None
    invented = "simulated-" if question.after.content["simulated_votes"] else ""
    names = f"{question.before.short}-{question.after.short}"
    return f"tiltyard-{invented}moved-{names}-{question.rows}"


@require_safe
def moved_picture(request: HttpRequest, form: str) -> HttpResponse:
    question = question_of(request.GET)
    document = document_of(question)
    before, after = question.before, question.after
    assert before is not None
    return picture(
        request,
        name=moved_file(question),
        of=f"moved {before.digest} {after.digest} {question.rows}",
        form=form,
        chart=lambda: charts().ledger_chart(after, account_of(before, after, document)),
    )


@require_safe
def moved_log(request: HttpRequest) -> HttpResponse:
    page = request.GET.get("page", "")
    if not LOG_PAGE.fullmatch(page):
        return log_made(request, "")
    return kept_response(request, log_name(request, f"log {page}"), lambda: log_made(request, page))


def log_name(request: HttpRequest, what: str) -> str:
    """Of all that it is written from: publications, ledgers worked out since, and the host."""
    worked_out = Job.objects.filter(kind=LEDGER, state=JobState.DONE).count()
    return f"{what} {latest_digest()} {worked_out} {request.scheme} {request.get_host()}"


def log_made(request: HttpRequest, number: str) -> HttpResponse:
    page = log_page(number)
    shown = {"page": page, "entries": entries(page.object_list)}
    return render(request, "leaderboard/moved_log.html", shown)


@require_safe
def moved_feed(request: HttpRequest) -> HttpResponse:
    def made() -> HttpResponse:
        return HttpResponse(feeds.feed(request.build_absolute_uri), content_type=feeds.CONTENT_TYPE)

    return kept_response(request, log_name(request, "feed"), made)


# -- How sure --------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def how_sure(request: HttpRequest) -> HttpResponse:
    """POST has worked out what would turn the order of the pair that the address names."""
    try:
        snapshot = snapshot_asked(request)
    except NothingPublished as nothing:
        return render(request, "leaderboard/sure.html", {"nothing": nothing})
    board = sure.board_of(snapshot)
    question = pair_question_of(board, request.GET)
    is_answerable = question is not None and not question.problem
    if request.method == "POST" and question is not None and is_answerable:
        fragility_want(question, address_of_request(request))
        return redirect(question.address)
    shown = {
        "page": sure.sure_page(board, request.GET),
        "question": question,
        "answer": pair_answer(board, question) if question and is_answerable else None,
    }
    status = question.status if question else 200
    response = render(request, "leaderboard/sure.html", shown, status=status)
    if question is not None:
        # An answer that is not there yet comes when its job is done.
        add_never_cache_headers(response)
    return kept_from_caches(response, snapshot)


@require_safe
def sure_pairs(request: HttpRequest) -> HttpResponse:
    """A block of the matrix of all pairs: a part of the page, or a page of its own."""
    snapshot = snapshot_asked(request)
    matrix = matrix_of(snapshot, request.GET)
    if matrix is None:
        raise NoSuchBoard(sure.why_absent(snapshot, "sure"))
    template = "_sure_matrix" if is_for_part(request) else "sure_pairs"
    response = render(request, f"leaderboard/{template}.html", {"matrix": matrix})
    patch_vary_headers(response, ("HX-Request",))
    return response


@require_safe
def sure_download(request: HttpRequest, form: str) -> HttpResponse:
    snapshot = snapshot_asked(request)
    if form == "csv":
        text = sure.sure_csv(snapshot)
        response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    else:
        response = JsonResponse(sure.sure_data(snapshot))
    file = f"{file_name(snapshot, 'how-sure')}.{form}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file)
    return kept_from_caches(response, snapshot)


@require_safe
def sure_picture(request: HttpRequest, form: str) -> HttpResponse:
    snapshot = snapshot_asked(request)
    every = QueryDict(f"show={sure.ALL}")
    response = picture(
        request,
        name=file_name(snapshot, "how-sure"),
        of=f"sure {snapshot.digest}",
        form=form,
        chart=lambda: charts().sure_chart(snapshot, sure.sure_page(sure.board_of(snapshot), every)),
    )
    return kept_from_caches(response, snapshot)


# -- What readers ask for --------------------------------------------------------------------


@require_safe
@never_cache
def asked(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is: a part of the page that waits for it, or a page of its own."""
    progress = asking.progress_of(asking.asked_get(pk))
    if request.headers.get("HX-Request") == "true":
        response = render(request, "leaderboard/_job.html", {"asked": progress})
        if progress.is_done:
            response["HX-Redirect"] = progress.address
        return response
    if progress.is_done:
        return redirect(progress.address)
    return render(request, "leaderboard/asked.html", {"asked": progress})


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
