from django.urls import path, re_path

from arena.leaderboard import views

app_name = "leaderboard"
urlpatterns = [
    path("leaderboard/", views.board, name="board"),
    re_path(r"^leaderboard/download\.(?P<form>csv|json)$", views.download, name="download"),
    path("battle/<uuid:battle_id>/reveal/", views.reveal, name="reveal"),
]
