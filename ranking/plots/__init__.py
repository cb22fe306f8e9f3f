"""Charts of results, as altair charts in the product's look.

Every function takes a result and a theme and returns a chart that fits any number of contestants:
rows are of one height, so the picture grows with them. Its title states the finding, and its
`description` says the same in words and numbers for who does not see it. A ring is raw and a dot
controlled; a difference that could be nothing has a hollow arrow. `ranking.pictures` writes
charts to files. Importing this needs altair; nothing else in `ranking` does.
"""

from ranking.plots.boards import interval_chart
from ranking.plots.ledgers import ledger_chart
from ranking.plots.pairs import heatmap_chart, observed_scores, predicted_scores
from ranking.plots.style import path_chart, slope_chart
from ranking.plots.themes import THEMES, Theme
from ranking.plots.trust import fragility_chart, reliability_chart

__all__ = [
    "THEMES",
    "Theme",
    "fragility_chart",
    "heatmap_chart",
    "interval_chart",
    "ledger_chart",
    "observed_scores",
    "path_chart",
    "predicted_scores",
    "reliability_chart",
    "slope_chart",
]
