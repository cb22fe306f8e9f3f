from django.contrib import admin
from django.urls import include, path

from arena.core.views import language_choose

urlpatterns = [
    path("", include("arena.battles.urls")),
    path("", include("arena.chats.urls")),
    path("", include("arena.leaderboard.urls")),
    path("", include("arena.reports.urls")),
    path("", include("arena.voters.urls")),
    path("", include("arena.demo.urls")),
    path("language/", language_choose, name="language"),
    path("api/v1/", include("arena.api.urls")),
    path("admin/", admin.site.urls),
]
