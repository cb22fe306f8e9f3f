"""Contestants, and the revisions that are served."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from arena.api import queries, serializers
from arena.api.pagination import OldestFirst
from arena.api.views.base import Api
from arena.catalog.models import SERVED
from arena.catalog.selectors import contestant_get, contestants_all, revision_get, revisions_of
from arena.catalog.services import contestant_change, contestant_create, revision_create
from arena.core.exceptions import Refused


class Contestants(Api):
    """Everybody in the catalog, in the order of their arrival."""

    permissions = {"GET": ("catalog.view_contestant",), "POST": ("catalog.add_contestant",)}
    query = queries.OfContestants
    pagination = OldestFirst
    tag = "Catalog"

    @extend_schema(
        parameters=[queries.OfContestants],
        responses={200: serializers.page_of(serializers.ContestantRow)},
    )
    def get(self, request: Request) -> Response:
        rows = contestants_all()
        if "status" in self.asked:
            rows = rows.filter(status=self.asked["status"])
        return self.page(rows, serializers.ContestantRow)

    @extend_schema(request=serializers.NewContestant, responses={201: serializers.ContestantRow})
    def post(self, request: Request) -> Response:
        """Add a contestant. It is drawn for battles once it is active and has a revision."""
        body = self.body(serializers.NewContestant)
        contestant = contestant_create(**body, actor=request.user)
        where = reverse("api:contestant", kwargs={"slug": contestant.slug}, request=request)
        return Response(shown(request, contestant), status=201, headers={"Location": where})


class OneContestant(Api):
    """What is stated of a contestant."""

    permissions = {"GET": ("catalog.view_contestant",), "PATCH": ("catalog.change_contestant",)}
    tag = "Catalog"

    @extend_schema(responses={200: serializers.ContestantRow})
    def get(self, request: Request, slug: str) -> Response:
        return Response(shown(request, contestant_get(slug)))

    @extend_schema(
        request=serializers.ContestantChanges, responses={200: serializers.ContestantRow}
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Change what is stated; what is served changes by a new revision."""
        contestant_get(slug)
        body = self.body(serializers.ContestantChanges)
        return Response(shown(request, contestant_change(slug=slug, **body, actor=request.user)))


class Revisions(Api):
    """What a contestant served, and serves, in order."""

    permissions = {"GET": ("catalog.view_revision",), "POST": ("catalog.add_revision",)}
    query = queries.Paged
    pagination = OldestFirst
    tag = "Catalog"

    @extend_schema(
        parameters=[queries.Paged], responses={200: serializers.page_of(serializers.RevisionRow)}
    )
    def get(self, request: Request, slug: str) -> Response:
        return self.page(revisions_of(contestant_get(slug)), serializers.RevisionRow)

    @extend_schema(request=serializers.NewRevision, responses={201: serializers.RevisionRow})
    def post(self, request: Request, slug: str) -> Response:
        """Add the next revision, which takes the place of the one before. Endpoints: staff only."""
        contestant = contestant_get(slug)
        body = self.body(serializers.NewRevision)
        if body["kind"] in SERVED and not request.user.is_staff:
            raise Refused("Only staff configure endpoints. Ask an administrator to add this one.")
        made = revision_create(contestant=contestant, **body, actor=request.user)
        where = reverse("api:revision", kwargs={"pk": made.pk}, request=request)
        row = serializers.RevisionRow(made, context={"request": request}).data
        return Response(row, status=201, headers={"Location": where})


class OneRevision(Api):
    """One revision. It never changes."""

    permissions = {"GET": ("catalog.view_revision",)}
    tag = "Catalog"

    @extend_schema(responses={200: serializers.RevisionRow})
    def get(self, request: Request, pk: int) -> Response:
        row = serializers.RevisionRow(revision_get(pk), context={"request": request})
        return Response(row.data)


def shown(request: Request, contestant: Any) -> Any:
    return serializers.ContestantRow(contestant, context={"request": request}).data
