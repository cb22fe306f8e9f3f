"""How often each contestant is shown, and what battles of one against itself say."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from arena.api import queries, serializers
from arena.api.views.base import Api
from arena.api.views.boards import READING
from arena.battles.exposure import alone_votes, exposure, pools_now


class Exposure(Api):
    """How often each organisation, stage and contestant was shown, and is drawn now.

    Battles count from their draw on, voted on or not; imported votes are another arena's draws.
    `expected` is the share of places that an even drawing over the same eligible pairs would have
    given, estimated from the stored probabilities; null while `effective_battles`, the evenly
    drawn battles that they are worth, is below 100. `now` lists with what probability the next
    battle shows each. `aa` are the votes of battles in which a contestant met itself: `decided`
    is the share that preferred one of two answers of the same contestant, which is noise, and
    `left` the share of these that preferred the left one, both with 95% Wilson intervals.
    """

    permissions = {"GET": READING}
    query = queries.OfExposure
    tag = "Exposure"

    @extend_schema(parameters=[queries.OfExposure], responses={200: serializers.Exposure})
    def get(self, request: Request) -> Response:
        since = self.asked.get("since")
        shown, alone = exposure(since), alone_votes(since)
        found = {"exposure": shown, "now": pools_now(), "aa": alone}
        return Response(serializers.Exposure(found).data)
