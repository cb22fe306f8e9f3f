"""To be written."""

from django.http import HttpRequest, HttpResponse


def index(request: HttpRequest, **named: str) -> HttpResponse:
    return HttpResponse(status=404)


def figure(request: HttpRequest, **named: str) -> HttpResponse:
    return HttpResponse(status=404)
