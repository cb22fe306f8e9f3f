from django.apps import AppConfig


class VotersConfig(AppConfig):
    name = "arena.voters"

    def ready(self) -> None:
        from arena.voters import checks  # noqa: F401  registers the system checks
