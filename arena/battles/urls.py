from django.urls import path

from arena.battles import views

app_name = "battles"
urlpatterns = [
    path("", views.new, name="home"),
    path("battle/", views.new, name="new"),
    path("battle/<uuid:battle_id>/", views.battle, name="battle"),
    path("battle/<uuid:battle_id>/vote/", views.vote, name="vote"),
]
