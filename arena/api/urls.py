from django.urls import path, re_path

from arena.api.views import about, boards, catalog, exposure, jobs, votes

app_name = "api"
urlpatterns = [
    path("", about.docs, name="docs"),
    path("health/", about.Health.as_view(), name="health"),
    path("schema/", about.Schema.as_view(), name="schema"),
    path("schema.<str:form>", about.Schema.as_view(), name="schema-file"),
    # Boards and publications
    path("boards/", boards.Boards.as_view(), name="boards"),
    path("boards/<slug:board>/", boards.Board.as_view(), name="board"),
    path("boards/<slug:board>.<str:form>", boards.BoardFile.as_view(), name="board-file"),
    path("catalog.json", boards.Catalog.as_view(), name="catalog"),
    path("standings/", boards.Standings.as_view(), name="standings"),
    path("win-rates/", boards.WinRates.as_view(), name="win-rates"),
    path("movements/", boards.Movements.as_view(), name="movements"),
    path("ledgers/", boards.Ledgers.as_view(), name="ledgers"),
    path("snapshots/", boards.Snapshots.as_view(), name="snapshots"),
    path("snapshots/<slug:digest>.json", boards.Snapshot.as_view(), name="snapshot"),
    path("publications/", jobs.Publications.as_view(), name="publications"),
    path("refits/", jobs.Refits.as_view(), name="refits"),
    path("exposure/", exposure.Exposure.as_view(), name="exposure"),
    # Votes
    path("votes/", votes.Votes.as_view(), name="votes"),
    path("votes.<str:form>", votes.VotesFile.as_view(), name="votes-file"),
    path("segments/<slug:sha256>.parquet", votes.SegmentFile.as_view(), name="segment"),
    path("imports/", jobs.Imports.as_view(), name="imports"),
    path("exclusions/", votes.Exclusions.as_view(), name="exclusions"),
    path("exclusions/<int:pk>/lift/", votes.Lift.as_view(), name="exclusion-lift"),
    # The catalog
    path("contestants/", catalog.Contestants.as_view(), name="contestants"),
    path("contestants/<slug:slug>/", catalog.OneContestant.as_view(), name="contestant"),
    path(
        "contestants/<slug:slug>/revisions/",
        catalog.Revisions.as_view(),
        name="contestant-revisions",
    ),
    path("revisions/<int:pk>/", catalog.OneRevision.as_view(), name="revision"),
    # What happened
    path("jobs/", jobs.Jobs.as_view(), name="jobs"),
    path("jobs/<int:pk>/", jobs.OneJob.as_view(), name="job"),
    path("audit/", votes.Audit.as_view(), name="audit"),
    # Not <path:rest>: a line's end is none of its characters.
    re_path(r"^(?P<rest>[\s\S]+)$", about.Nowhere.as_view(), name="unknown"),
]
