from django.apps import AppConfig


class BattlesConfig(AppConfig):
    name = "arena.battles"

    def ready(self) -> None:
        from arena.battles import checks  # noqa: F401  registers itself
