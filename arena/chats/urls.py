from django.urls import path

from arena.chats import views

app_name = "chats"
urlpatterns = [
    path("chat/", views.new, name="new"),
    path("chat/<uuid:chat_id>/", views.chat, name="chat"),
    path("chat/<uuid:chat_id>/delete/", views.delete, name="delete"),
]
