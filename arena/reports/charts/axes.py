"""The axis of ratings that charts of several pages share."""

from collections.abc import Callable, Sequence

import altair as alt
from django.utils.translation import gettext as _


def rating_axis(left: float, width: float, values: Sequence[float]) -> Callable[[str], alt.X]:
    """Where a rating stands: from `left` on, so many pixels wide, with some room at the ends.

    The channel of a field is what is returned.
    """
    low, high = min(values), max(values)
    room = (high - low) * 0.04 or 10.0
    scale = alt.Scale(
        domain=[low - room, high + room], range=[left, left + width], nice=False, zero=False
    )
    axis = alt.Axis(orient="top", title=_("Rating, 95% interval"), format="d", tickCount=6)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    return x
