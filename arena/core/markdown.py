"""Stored Markdown as HTML that a stranger may have written."""

import re

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

# As in the browser while an answer streams: a line under a paragraph makes no heading of it,
# because a list that is being typed would flash as one.
_parser = (
    MarkdownIt("commonmark", {"html": False, "linkify": False})
    .enable(["table", "strikethrough"])
    .disable("lheading")
)
_ALIGNMENT = re.compile(r'<(t[hd]) style="text-align:(left|center|right)">')
TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "del"),
    *("ul", "ol", "li", "blockquote", "pre", "code", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "ol": {"start"},
    "code": {"class"},
    "th": {"align"},
    "td": {"align"},
}


def render(text: str) -> SafeString:
    """HTML of `text` with headings, lists, tables, code and links, and nothing that runs.

    Images are left out: fetching one would tell its host who reads what.
    """
    # The alignment of a column comes as a style attribute, which the page's policy forbids.
    html = _ALIGNMENT.sub(r'<\1 align="\2">', _parser.render(text))
    cleaned = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return mark_safe(cleaned)
