"""Publications, for operators: what was published when, and how far its statement has gone."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from arena.core.admin import ReadOnlyAdmin, moment
from arena.leaderboard.models import HeadPost, Snapshot


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    list_display = (
        *("number", "short", "published", "votes", "category", "engine"),
        *("filed", "posted", "page"),
    )
    list_filter = ("category", "engine")
    list_select_related = ("head_post",)
    date_hierarchy = "published_at"
    search_fields = ("digest__startswith",)
    search_help_text = "The beginning of a publication's digest."
    fields = (
        *("number", "published_at", "page", "digest", "previous", "head"),
        *("votes", "category", "engine", "filed", "posted"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Snapshot]:
        """Without the documents, each of which is megabytes."""
        return super().get_queryset(request).defer("document")

    @admin.display(description="votes counted", ordering="counted")
    def votes(self, snapshot: Snapshot) -> str:
        return f"{snapshot.counted:,}"

    @admin.display(description="on the site")
    def page(self, snapshot: Snapshot) -> str:
        return format_html(
            '<a href="{}?snapshot={}">board</a>, <a href="{}">files</a>',
            *(reverse("leaderboard:board"), snapshot.digest),
            reverse("leaderboard:archive-publication", args=(snapshot.digest,)),
        )

    @admin.display(description="published", ordering="published_at")
    def published(self, snapshot: Snapshot) -> str:
        return moment(snapshot.published_at)

    @admin.display(description="statement filed", ordering="head_post__filed_at")
    def filed(self, snapshot: Snapshot) -> str:
        return moment(head_post(snapshot).filed_at)

    @admin.display(description="statement posted", ordering="head_post__posted_at")
    def posted(self, snapshot: Snapshot) -> str:
        return moment(head_post(snapshot).posted_at)


def head_post(snapshot: Snapshot) -> HeadPost:
    """Publications of before there were statements have none."""
    return getattr(snapshot, "head_post", None) or HeadPost()
