"""The forms that things are handed out in, and which one a request wants."""

from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from arena.leaderboard.archive import PARQUET


class AsIs(BaseRenderer):
    """What the view made is text or bytes already; a problem is JSON in every form."""

    def render(self, data: Any, media_type: Any = None, context: Any = None) -> Any:
        if isinstance(data, bytes | str):
            return data
        return JSONRenderer().render(data)


class Csv(AsIs):
    media_type = "text/csv"
    format = "csv"


class Parquet(AsIs):
    media_type = PARQUET
    format = "parquet"
    charset = None
    render_style = "binary"


class Ndjson(AsIs):
    media_type = "application/x-ndjson"
    format = "ndjson"


class CatalogJson(JSONRenderer):
    """The field's catalog, under a type of its own: the board itself is JSON as well."""

    media_type = "application/vnd.tiltyard.catalog+json"
    format = "catalog.json"


class Forms(DefaultContentNegotiation):
    """The suffix decides where there is one, and otherwise Accept. An unknown form is a 406."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        known = {renderer.format: renderer for renderer in renderers}
        if format_suffix:
            if format_suffix not in known:
                raise NotAcceptable(f"There is no form '{format_suffix[:20]}'. {listed(renderers)}")
            return known[format_suffix], known[format_suffix].media_type
        try:
            return super().select_renderer(request, renderers)
        except NotAcceptable as error:
            raise NotAcceptable(f"Accept names no form of this. {listed(renderers)}") from error


def listed(renderers: Any) -> str:
    forms = ", ".join(f"{renderer.media_type} (.{renderer.format})" for renderer in renderers)
    return f"These exist: {forms}."
