from django.urls import path, re_path

from arena.reports.views import (
    categories,
    contestants,
    families,
    history,
    methodology,
    organisations,
    pairs,
    prices,
)

FORMS = "(?P<form>svg|png|csv|json|vega)"

app_name = "reports"
urlpatterns = [
    path("models/", contestants.index, name="contestants"),
    path("models/<slug:slug>/", contestants.contestant, name="contestant"),
    re_path(
        rf"^models/(?P<slug>[-\w]+)/(?P<name>[a-z-]+)\.{FORMS}$",
        contestants.figure,
        name="contestant-figure",
    ),
    path("pairs/", pairs.index, name="pairs"),
    re_path(rf"^pairs/(?P<name>[a-z-]+)\.{FORMS}$", pairs.index_figure, name="pairs-figure"),
    path("pairs/<slug:first>/<slug:second>/", pairs.pair, name="pair"),
    re_path(
        rf"^pairs/(?P<first>[-\w]+)/(?P<second>[-\w]+)/(?P<name>[a-z-]+)\.{FORMS}$",
        pairs.figure,
        name="pair-figure",
    ),
    path("families/", families.index, name="families"),
    path("families/<slug:slug>/", families.family, name="family"),
    re_path(
        rf"^families/(?P<slug>[-\w]+)/(?P<name>[a-z-]+)\.{FORMS}$",
        families.figure,
        name="family-figure",
    ),
    path("categories/", categories.index, name="categories"),
    re_path(
        rf"^categories/(?P<name>[a-z-]+)\.{FORMS}$", categories.figure, name="categories-figure"
    ),
    path("organisations/", organisations.index, name="organisations"),
    re_path(
        rf"^organisations/(?P<name>[a-z-]+)\.{FORMS}$",
        organisations.figure,
        name="organisations-figure",
    ),
    path("organisations/<slug:slug>/", organisations.organisation, name="organisation"),
    path("prices/", prices.index, name="prices"),
    re_path(rf"^prices/(?P<name>[a-z-]+)\.{FORMS}$", prices.figure, name="prices-figure"),
    path("methodology/", methodology.index, name="methodology"),
    path("methodology/drawn/", methodology.drawn, name="methodology-drawn"),
    path("methodology/formulas/", methodology.formulas, name="formulas"),
    re_path(
        rf"^methodology/(?P<name>[a-z-]+)\.{FORMS}$", methodology.figure, name="methodology-figure"
    ),
    path("history/", history.index, name="history"),
    re_path(rf"^history/(?P<name>[a-z-]+)\.{FORMS}$", history.figure, name="history-figure"),
]
