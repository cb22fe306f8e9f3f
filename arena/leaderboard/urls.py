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
    re_path(r"^leaderboard/picture\.(?P<form>svg|png)$", views.board_picture, name="picture"),
    path("leaderboard/path.json", views.board_path, name="path"),
    path("leaderboard/<path:category>/", views.board, name="board-category"),
    re_path(
        r"^leaderboard/(?P<category>.+)/download\.(?P<form>csv|json)$",
        views.download,
        name="download-category",
    ),
    path("battle/<uuid:battle_id>/reveal/", views.reveal, name="reveal"),
    re_path(
        r"^leaderboard/(?P<category>[^/]+)/picture\.(?P<form>svg|png)$",
        views.board_picture,
        name="picture-category",
    ),
    path("moved/", views.moved, name="moved"),
    path("moved/log/", views.moved_log, name="moved-log"),
    path("moved/feed/", views.moved_feed, name="feed"),
    re_path(r"^moved/download\.(?P<form>csv|json)$", views.moved_download, name="moved-download"),
    re_path(r"^moved/picture\.(?P<form>svg|png)$", views.moved_picture, name="moved-picture"),
    path("how-sure/", views.how_sure, name="sure"),
    path("how-sure/pairs/", views.sure_pairs, name="sure-pairs"),
    re_path(r"^how-sure/download\.(?P<form>csv|json)$", views.sure_download, name="sure-download"),
    re_path(r"^how-sure/picture\.(?P<form>svg|png)$", views.sure_picture, name="sure-picture"),
    path("asked/<int:pk>/", views.asked, name="asked"),
    path("mine/", views.mine, name="mine"),
    re_path(r"^mine/votes\.(?P<form>csv|json)$", views.mine_download, name="mine-votes"),
    path("archive/", views.archive_index, name="archive"),
    path("archive/all.txt", views.archive_list_of_all, name="archive-all"),
    path("archive/<digest:digest>.json", views.archive_snapshot, name="archive-snapshot"),
    path("archive/<digest:digest>.txt", views.archive_list, name="archive-list"),
    path("archive/parts/<digest:digest>.json", views.archive_part, name="archive-part"),
    path("archive/segments/<digest:sha256>.parquet", views.archive_segment, name="archive-segment"),
    path("archive/texts/<digest:sha256>-texts.parquet", views.archive_texts, name="archive-texts"),
    path("archive/<str:name>/", views.archive_publication, name="archive-publication"),
]
