from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from arena.api import views

app_name = "api"
urlpatterns = [
    path("boards/", views.BoardsView.as_view(), name="boards"),
    path("boards/<slug:board>/", views.BoardView.as_view(), name="board"),
    path("boards/<slug:board>.csv", views.BoardCsvView.as_view(), name="board-csv"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("<path:rest>", views.UnknownView.as_view(), name="unknown"),
]
