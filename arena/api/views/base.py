"""What every address of the API has in common."""

import hashlib
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.http import quote_etag
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from arena.api.pagination import Pages
from arena.api.queries import Query

YEAR = 365 * 24 * 3600


class Api(APIView):
    """One address: who may, what may be asked for, and how often it changes.

    permissions: by method, the Django permissions that the token's user needs.
    query: the parameters of a GET. tag: where the documentation lists it.
    """

    permissions: dict[str, tuple[str, ...]] = {}
    query: type[Query] = Query
    pagination: type[Pages] = Pages
    tag = ""
    # OPTIONS would describe what the schema describes better.
    metadata_class = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # A charset in the client's Content-Type would decode addresses, or fail to.
        request.encoding = "utf-8"
        response = super().dispatch(request, *args, **kwargs)
        patch_vary_headers(response, ["Authorization"])
        if request.method == "GET" and response.status_code == 200:
            return self.conditional(request, response)
        if response.status_code == 304:
            return response
        patch_cache_control(response, private=True, no_store=True)
        return response

    def conditional(self, request: HttpRequest, response: Any) -> HttpResponseBase:
        """With an ETag, or as a 304 where the client has just this."""
        if not response.has_header("ETag"):
            response.render()
            response["ETag"] = quote_etag(hashlib.sha256(response.content).hexdigest()[:32])
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_cache=True)
        etag = response["ETag"]
        return get_conditional_response(request, etag=etag, response=response) or response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        asked = (self.query if request.method == "GET" else Query)(data=request.query_params)
        asked.is_valid(raise_exception=True)
        self.asked: dict[str, Any] = asked.validated_data

    def body(self, kind: type[Serializer[Any]], **options: Any) -> dict[str, Any]:
        """The request's body, checked. Raises ValidationError."""
        read = kind(data=self.request.data, **options)
        read.is_valid(raise_exception=True)
        return read.validated_data

    def page(self, rows: QuerySet[Any], kind: type[Serializer[Any]]) -> Response:
        pages = self.pagination()
        page = pages.paginate_queryset(rows, self.request, view=self)
        shown = kind(page, many=True, context={"request": self.request})
        return pages.get_paginated_response(shown.data)


def unchanged(request: Request, etag: str) -> HttpResponseBase | None:
    """The answer to a client that has just this, before anything is opened or read."""
    return get_conditional_response(request._request, etag=etag)


def lasting(response: Any, digest: str) -> Any:
    """Say that what is at this address never changes."""
    response["ETag"] = quote_etag(digest)
    patch_cache_control(response, private=True, max_age=YEAR, immutable=True)
    return response


def suffixes(view: type[Api]) -> OpenApiParameter:
    """The forms of a view as the end of its address."""
    forms = [str(renderer.format) for renderer in view.renderer_classes]
    return OpenApiParameter("form", str, OpenApiParameter.PATH, required=True, enum=forms)
