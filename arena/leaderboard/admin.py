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
        *("number", "name", "published", "votes", "category", "engine"),
        *("statement", "page"),
    )
    list_filter = ("category", "engine")
    list_select_related = ("head_post",)
    date_hierarchy = "published_at"
    search_fields = ("digest__startswith",)
    search_help_text = "The beginning of a publication's digest."
    fields = (
        ("number", "published", "votes", "category", "engine"),
        *("page", "digest", "previous", "head", "statement"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Snapshot]:
        """Without the documents, each of which is megabytes."""
        return super().get_queryset(request).defer("document")

    @admin.display(description="digest", ordering="digest")
    def name(self, snapshot: Snapshot) -> str:
        return snapshot.short

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

    @admin.display(description="statement", ordering="head_post__filed_at")
    def statement(self, snapshot: Snapshot) -> str:
        """How far it has gone to where the arena cannot rewrite it."""
        post = head_post(snapshot)
        filed = f"filed {moment(post.filed_at)}" if post.filed_at else ""
        posted = f"posted {moment(post.posted_at)}" if post.posted_at else ""
        return ", ".join(filter(None, (filed, posted))) or "kept here"


def head_post(snapshot: Snapshot) -> HeadPost:
    """Publications of before there were statements have none."""
    return getattr(snapshot, "head_post", None) or HeadPost()
