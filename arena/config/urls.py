from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("arena.battles.urls")),
    path("", include("arena.leaderboard.urls")),
    path("", include("arena.voters.urls")),
    path("api/v1/", include("arena.api.urls")),
    path("admin/", admin.site.urls),
]
