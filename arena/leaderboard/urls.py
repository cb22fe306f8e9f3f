from django.urls import path, re_path, register_converter

from arena.leaderboard import views


class Digest:
    """A whole SHA-256; what it names never changes."""

    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        return value

    to_url = to_python


register_converter(Digest, "digest")

app_name = "leaderboard"
urlpatterns = [
    path("leaderboard/", views.board, name="board"),
    re_path(r"^leaderboard/download\.(?P<form>csv|json)$", views.download, name="download"),
    path("battle/<uuid:battle_id>/reveal/", views.reveal, name="reveal"),
    path("mine/", views.mine, name="mine"),
    re_path(r"^mine/votes\.(?P<form>csv|json)$", views.mine_download, name="mine-votes"),
    path("archive/", views.archive_index, name="archive"),
    path("archive/all.txt", views.archive_list_of_all, name="archive-all"),
    path("archive/<digest:digest>.json", views.archive_snapshot, name="archive-snapshot"),
    path("archive/<digest:digest>.txt", views.archive_list, name="archive-list"),
    path("archive/segments/<digest:sha256>.parquet", views.archive_segment, name="archive-segment"),
    path("archive/texts/<digest:sha256>-texts.parquet", views.archive_texts, name="archive-texts"),
    path("archive/<str:name>/", views.archive_publication, name="archive-publication"),
]
