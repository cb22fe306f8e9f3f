from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "arena.core"

    def ready(self) -> None:
        from arena.core import checks  # noqa: F401  registers the system checks

        # Each room's jobs.py registers what its jobs run.
        autodiscover_modules("jobs")
