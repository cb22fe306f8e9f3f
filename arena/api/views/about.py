"""The API about itself: how it is, its schema, its documentation, and what is not there."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from arena.api import serializers
from arena.api.pages import documentation
from arena.api.permissions import may
from arena.api.renderers import Forms
from arena.api.selectors import health
from arena.api.views.base import Api
from arena.core.exceptions import Unknown
from ranking.version import ENGINE


class Health(Api):
    """Whether the arena answers; with core.view_job also how its parts are."""

    permission_classes = (AllowAny,)
    tag = "Health"

    @extend_schema(responses={200: serializers.Health})
    def get(self, request: Request) -> Response:
        found = {"status": "ok", "version": ENGINE}
        if may(request, "core.view_job"):
            found |= serializers.Health(found | health()).data
        return Response(found)


class Schema(SpectacularAPIView):
    """This API in OpenAPI 3: YAML, or JSON where Accept asks for it."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    content_negotiation_class = Forms
    tag = "Health"


class Nowhere(Api):
    """Any other address under /api/v1/."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        rest = kwargs["rest"]
        hint = f" Write /api/v1/{rest}/, with a slash at the end." if is_known(rest) else ""
        raise Unknown(
            f"There is no /api/v1/{rest[:80]}.{hint} /api/v1/schema/ lists what there is."
        )

    def get(self, request: Request, rest: str) -> Response:
        raise NotImplementedError("initial raises")

    post = put = patch = delete = get


def is_known(rest: str) -> bool:
    try:
        return resolve(f"/api/v1/{rest}/").func.cls is not Nowhere  # type: ignore[attr-defined]
    except (Resolver404, AttributeError):
        return False


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """What the schema says, for people."""
    base = request.build_absolute_uri()
    return render(request, "api/docs.html", {"page": documentation(), "base": base})
