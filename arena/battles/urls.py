from django.urls import path

from arena.battles import views

app_name = "battles"
urlpatterns = [
    path("", views.new, name="home"),
    path("battle/", views.new, name="new"),
    path("battle/images/", views.image_upload, name="image-upload"),
    path("images/<uuid:image_id>/", views.image, name="image"),
    path("battle/<uuid:battle_id>/", views.battle, name="battle"),
    path("battle/<uuid:battle_id>/vote/", views.vote, name="vote"),
    path("battle/<uuid:battle_id>/reasons/", views.reasons, name="reasons"),
    path("battle/<uuid:battle_id>/share/", views.share, name="share"),
    path("shared/<uuid:battle_id>/", views.shared, name="shared"),
    path("judge/<slug:slug>/", views.collection, name="collection"),
]
