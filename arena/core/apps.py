from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "arena.core"

    def ready(self) -> None:
        from arena.core import checks  # noqa: F401  registers the system checks
