"""An Atom feed of publications, each with what moved."""

from collections.abc import Callable

from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed, get_tag_uri
from django.utils.html import escape
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from arena.leaderboard.models import Snapshot
from arena.leaderboard.moved import Entry, entries

MOST_ENTRIES = 20
CONTENT_TYPE = Atom1Feed.content_type


def feed(absolute: Callable[[str], str]) -> str:
    """absolute: makes a whole address of a path."""
    here = absolute(reverse("leaderboard:feed"))
    written = Atom1Feed(
        title=_("Tiltyard: what moved"),
        link=absolute(reverse("leaderboard:moved-log")),
        description=_("Every publication, with what moved since the one before."),
        language=get_language(),
        feed_url=here,
        feed_guid=here,
        author_name="Tiltyard",
    )
    for entry in entries(Snapshot.objects.all()[:MOST_ENTRIES]):
        written.add_item(
            title=entry.title,
            link=absolute(entry.address),
            description=escape(entry.text),
            unique_id=tag(entry, absolute),
            pubdate=entry.published_at,
            updateddate=entry.published_at,
        )
    return written.writeString("utf-8")


def tag(entry: Entry, absolute: Callable[[str], str]) -> str:
    """Of the digest, so the same publication has the same name for good."""
    return get_tag_uri(absolute(f"/{entry.digest}"), entry.published_at)
