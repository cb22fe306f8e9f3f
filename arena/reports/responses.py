"""What a figure is answered with, in each of its forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from arena.core.exceptions import Unknown
from arena.core.kept import KEPT_SECONDS, kept_response
from arena.leaderboard.models import Fitted
from arena.leaderboard.pictures import CONTENT_TYPES, drawing, file_name
from arena.leaderboard.visits import kept_from_caches
from arena.reports.figures import THEMES, Figure
from arena.voters.door import figure_admit
from arena.voters.networks import address_of_request
from ranking.outputs import as_csv
from ranking.pictures import FORMATS, compiled

if TYPE_CHECKING:
    from ranking.plots.themes import Theme

JSON = "application/json"
# On a page, in pixels. The reader's fonts may be wider than those that text was measured with here.
PADDING = {"left": 14, "right": 14, "top": 4, "bottom": 4}


def figure_response(
    request: HttpRequest, snapshot: Fitted, figure: Figure, *, form: str, of: str
) -> HttpResponse:
    """The figure as svg or png (drawn once and kept), csv, json, or vega (its chart, for pages).

    of: all that decides what it shows beside the publication, such as the page's path. The
    request says the theme and whether a page says the title itself (`on=page`). Raises Unknown
    for another theme, and TooMany where the reader's network had too many charts drawn.
    """
    theme, is_on_page = theme_asked(request), request.GET.get("on") == "page"
    name = "\n".join(["figure", snapshot.digest, figure.name, of, form, theme, str(is_on_page)])

    def make() -> HttpResponse:
        if form == "csv":
            return HttpResponse(csv_of(figure), content_type="text/csv; charset=utf-8")
        if form == "json":
            return HttpResponse(json_of(snapshot, figure), content_type=JSON)
        figure_admit(address=address_of_request(request))
        content = drawn(figure, form, theme, is_on_page)
        return HttpResponse(content, content_type=CONTENT_TYPES.get(form, JSON))

    response = kept_response(request, name, make)
    if form != "vega":
        file = f"{file_name(snapshot, path_words(request))}.{form}"
        disposition = content_disposition_header(as_attachment=True, filename=file)
        response["Content-Disposition"] = disposition
    if request.GET.get("snapshot"):
        # What a publication said never changes; how it is drawn, and prices beside it, may.
        response["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    return kept_from_caches(response, snapshot)


def theme_asked(request: HttpRequest) -> Theme:
    asked = request.GET.get("theme", THEMES[0])
    for theme in THEMES:
        if theme == asked:
            return theme
    told = {"theme": asked[:40], "themes": ", ".join(THEMES)}
    raise Unknown(_("There is no theme '%(theme)s'. These exist: %(themes)s.") % told)


def path_words(request: HttpRequest) -> str:
    """What a file is of, from where it is: models-wren-waterfall."""
    return "-".join(PurePosixPath(request.path_info).with_suffix("").parts[1:])


# -- Forms -----------------------------------------------------------------------------------


def csv_of(figure: Figure) -> str:
    columns = {name: [row.get(name) for row in figure.rows] for name in figure.columns}
    return as_csv(pa.table(columns))


def json_of(snapshot: Fitted, figure: Figure) -> str:
    told = {
        "snapshot": snapshot.digest,
        "simulated_votes": snapshot.content["simulated_votes"],
        "figure": figure.name,
        "title": figure.title,
        "words": figure.words,
        "rows": [dict(row) for row in figure.rows],
    }
    return json.dumps(told, ensure_ascii=False, allow_nan=False)


def drawn(figure: Figure, form: str, theme: Theme, is_on_page: bool) -> bytes:
    make: Callable[[dict[str, Any]], bytes] = FORMATS.get(f".{form}", vega)
    with drawing():
        spec = figure.draw(theme).to_dict(validate=False)
        return make(untitled(spec) if is_on_page else spec)


def vega(spec: dict[str, Any]) -> bytes:
    return json.dumps(compiled(spec), separators=(",", ":")).encode()


def untitled(spec: dict[str, Any]) -> dict[str, Any]:
    """The chart as a page shows it, which says the title and the figure's note itself."""
    bare = {name: value for name, value in spec.items() if name != "title"}
    return bare | {"config": spec["config"] | {"padding": PADDING}}
