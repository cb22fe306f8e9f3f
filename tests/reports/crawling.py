"""A reader who follows every link, a few of each kind, and looks whether pages hold what they
promise."""

from collections import Counter, deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

HOST = "http://testserver"
VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr")
)
SHOWS = frozenset(("img", "svg", "input", "select", "textarea", "button", "picture", "canvas"))
# Pages of numbers; scripts fill those of other rooms.
TOLD_WHOLE = ("leaderboard:", "reports:")
NOTHING = frozenset(("None", "nan", "inf"))
# Pages that act, or that are another room's.
ELSEWHERE = ("/admin/", "/language/", "/api/")


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    heading: str = ""
    says: int = 0
    """Words, and what shows something without a word, beside its heading."""
    rows: int = 0


@dataclass
class Page(HTMLParser):
    """What a page links to, the anchors that it has, and its sections that say nothing."""

    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    empty: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if "id" in attributes:
            self.anchors.add(attributes["id"])
        for name in ("href", "src"):
            if attributes.get(name) and tag != "use":
                self.links.append(attributes[name])
        if tag in SHOWS:
            for element in self.open:
                element.says += 1
        if tag == "tr" and not any(element.tag == "thead" for element in self.open):
            for element in self.open:
                element.rows += 1
        if tag not in VOID:
            self.open.append(Element(tag, attributes))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        if not data.strip() or any(each.tag in ("script", "style") for each in self.open):
            return
        self.words.append(data)
        within_heading = any(each.tag in ("h1", "h2", "h3", "caption") for each in self.open)
        for element in self.open:
            if within_heading:
                element.heading += data
            else:
                element.says += 1

    def handle_endtag(self, tag: str) -> None:
        while self.open:
            element = self.open.pop()
            if element.tag == "section" and not element.says:
                self.empty.append(f"section '{element.heading.strip()}' says nothing")
            if element.tag == "table" and not element.rows:
                self.empty.append(f"table '{element.heading.strip()}' has no row")
            if element.tag == tag:
                return


@dataclass
class Crawl:
    """visited: addresses by what kind of page each is of. faults: in words."""

    client: Client
    most: int
    visited: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    pages: dict[str, Page] = field(default_factory=dict)
    anchors: list[tuple[str, str, str]] = field(default_factory=list)

    def run(self, *starts: str) -> "Crawl":
        waiting = deque((start, "") for start in starts)
        seen = set(starts)
        while waiting:
            address, source = waiting.popleft()
            for link in self.visit(address, source):
                if link not in seen:
                    seen.add(link)
                    waiting.append((link, address))
        for source, path, anchor in self.anchors:
            page = self.pages.get(path)
            if page is not None and anchor not in page.anchors:
                self.faults.append(f"{source}: {path} has no #{anchor}")
        return self

    def visit(self, address: str, source: str) -> list[str]:
        kind = kind_of(address)
        if kind is None:
            self.faults.append(f"{source}: nothing is at {address}")
            return []
        if self.visited[kind] >= self.most:
            return []
        self.visited[kind] += 1
        response = self.client.get(address, follow=True)
        if response.streaming:
            # A file is open until it has been read.
            deque(response.streaming_content, maxlen=0)
        if response.status_code != 200:
            self.faults.append(f"{source}: {address} is answered {response.status_code}")
            return []
        if not response["Content-Type"].startswith("text/html"):
            return []
        page = Page()
        page.feed(response.content.decode())
        self.pages[address] = page
        if kind.startswith(TOLD_WHOLE):
            self.faults += [f"{address}: {fault}" for fault in page.empty]
            said = NOTHING.intersection(map(str.strip, page.words))
            self.faults += [f"{address} says {word}" for word in sorted(said)]
        return list(self.links(page, address))

    def links(self, page: Page, address: str) -> list[str]:
        found = []
        for link in page.links:
            whole, anchor = urldefrag(urljoin(HOST + address, link))
            parts = urlsplit(whole)
            if f"{parts.scheme}://{parts.netloc}" != HOST or parts.path.startswith(ELSEWHERE):
                continue
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            if anchor:
                self.anchors.append((address, path, anchor))
            found.append(path)
        return found


def kind_of(address: str) -> str | None:
    """The name of the address's page, and of a page the parameters, of a file the form."""
    parts = urlsplit(address)
    if parts.path.startswith("/static/"):
        return "static"
    try:
        match = resolve(parts.path)
    except Resolver404:
        return None
    if "form" in match.kwargs:
        # The same chart is drawn for png as for svg.
        named = ("form",) if match.kwargs["form"] == "png" else ("name", "form")
        return " ".join([match.view_name, *(str(match.kwargs.get(key, "")) for key in named)])
    asked = sorted({each.partition("=")[0] for each in parts.query.split("&") if each})
    return " ".join([match.view_name, *asked])
