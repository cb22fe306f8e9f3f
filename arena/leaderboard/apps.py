from django.apps import AppConfig


class LeaderboardConfig(AppConfig):
    name = "arena.leaderboard"

    def ready(self) -> None:
        from arena.leaderboard import checks  # noqa: F401  registers itself
