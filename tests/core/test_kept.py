"""Pages kept for everybody: made once, told by their ETag, apart by language and by part."""

import gzip
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils.translation import gettext, override

from arena.core.kept import kept_response


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


class Page:
    """A page that counts how often it is made."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.made = 0

    def __call__(self) -> HttpResponse:
        self.made += 1
        return HttpResponse(f"{gettext('Rank')} {self.made}", status=self.status)


def asked(**headers: str) -> HttpRequest:
    return RequestFactory().get("/", headers=headers)


def test_it_works() -> None:
    page = Page()
    first = kept_response(asked(), "board", page)
    again = kept_response(asked(), "board", page)

    assert first.content == again.content == b"Rank 1"
    assert page.made == 1
    assert kept_response(asked(), "another", page).content == b"Rank 2"


def test_who_has_it_already_is_told_so() -> None:
    page = Page()
    first = kept_response(asked(), "board", page)
    again = kept_response(asked(**{"If-None-Match": first["ETag"]}), "board", page)

    assert (again.status_code, again.content) == (304, b"")
    other = kept_response(asked(**{"If-None-Match": '"other"'}), "board", page)
    assert other.status_code == 200


def test_packed_it_is_the_same_page() -> None:
    page = Page()
    plain = kept_response(asked(), "board", page)
    packed = kept_response(asked(**{"Accept-Encoding": "gzip"}), "board", page)

    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert packed["ETag"] == plain["ETag"]
    assert "Accept-Encoding" in packed["Vary"]


def test_languages_and_parts_are_apart() -> None:
    page = Page()
    english = kept_response(asked(), "board", page)
    with override("fr"):
        french = kept_response(asked(), "board", page)
    part = kept_response(asked(**{"HX-Request": "true"}), "board", page)

    assert len({english.content, french.content, part.content}) == 3
    assert {"Accept-Language", "Cookie", "HX-Request"} <= set(english["Vary"].split(", "))


def test_an_error_is_not_kept() -> None:
    page = Page(status=404)
    kept_response(asked(), "board", page)
    kept_response(asked(), "board", page)

    assert page.made == 2
