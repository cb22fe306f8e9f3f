from django.apps import AppConfig


class ChatsConfig(AppConfig):
    name = "arena.chats"
