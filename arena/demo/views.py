"""What was planted in the demo, beside what its boards recovered."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from arena.demo.planted import planted_page


@require_safe
def planted(request: HttpRequest) -> HttpResponse:
    return render(request, "demo/planted.html", {"page": planted_page(request.GET)})
