"""Imports, refits and publications, which outlast the request for them."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from arena.api import queries, serializers
from arena.api.parsers import Json
from arena.api.permissions import may, require
from arena.api.views.base import Api
from arena.core.exceptions import Unknown
from arena.core.jobs import job_ask, job_cancel, job_get
from arena.core.models import Job
from arena.integrity.imports import import_path
from arena.integrity.uploads import upload_keep

JOB = {202: serializers.JobRow, 200: serializers.JobRow}


def asked_for(request: Request, kind: str, params: dict[str, Any]) -> Response:
    """202 with a new job, or 200 with the unfinished one that does just this."""
    job, is_new = job_ask(kind=kind, params=params, actor=request.user)
    where = reverse("api:job", kwargs={"pk": job.pk}, request=request)
    shown = serializers.JobRow(job).data
    return Response(shown, status=202 if is_new else 200, headers={"Location": where})


class Imports(Api):
    """A file of votes becomes a segment, whole or not at all: uploaded, or in the import folder."""

    permissions = {"POST": ("integrity.add_segment",)}
    parser_classes = (Json, MultiPartParser)
    tag = "Votes"

    @extend_schema(
        request={
            "application/json": serializers.NewImport,
            "multipart/form-data": serializers.NewUpload,
        },
        responses=JOB,
    )
    def post(self, request: Request) -> Response:
        if request.content_type.startswith(MultiPartParser.media_type):
            params = self.body(serializers.NewUpload)
            file = params["file"]
            params["file"] = upload_keep(name=file.name, pieces=file.chunks())
        else:
            params = self.body(serializers.NewImport)
            import_path(params["file"])
        return asked_for(request, "import", params)


class Refits(Api):
    """Fit all votes, sealed or not, and keep the result as the draft that staff see."""

    permissions = {"POST": ("leaderboard.add_draft",)}
    tag = "Publications"

    @extend_schema(request=serializers.Nothing, responses=JOB)
    def post(self, request: Request) -> Response:
        self.body(serializers.Nothing)
        return asked_for(request, "refit", {})


class Publications(Api):
    """Seal the votes, fit them and publish, where anything is new."""

    permissions = {"POST": ("leaderboard.add_snapshot",)}
    tag = "Publications"

    @extend_schema(request=serializers.Nothing, responses=JOB)
    def post(self, request: Request) -> Response:
        self.body(serializers.Nothing)
        return asked_for(request, "publish", {})


class Jobs(Api):
    """Jobs, the newest first: one's own, or all with core.view_job."""

    permissions = {"GET": ()}
    query = queries.OfJobs
    tag = "Jobs"

    @extend_schema(
        parameters=[queries.OfJobs], responses={200: serializers.page_of(serializers.JobRow)}
    )
    def get(self, request: Request) -> Response:
        narrowed = {name: self.asked[name] for name in ("kind", "state") if name in self.asked}
        return self.page(jobs_seen_by(request).filter(**narrowed), serializers.JobRow)


class OneJob(Api):
    """One job; deleting it cancels it, and its row stays."""

    permissions = {"GET": (), "DELETE": ()}
    tag = "Jobs"

    @extend_schema(responses={200: serializers.JobRow})
    def get(self, request: Request, pk: int) -> Response:
        return Response(serializers.JobRow(seen(request, pk)).data)

    @extend_schema(responses={200: serializers.JobRow})
    def delete(self, request: Request, pk: int) -> Response:
        job = seen(request, pk)
        if job.actor_id != request.user.pk:
            require(request, "core.change_job", "Cancelling somebody else's job")
        return Response(serializers.JobRow(job_cancel(pk=pk, actor=request.user)).data)


def jobs_seen_by(request: Request) -> QuerySet[Job]:
    jobs = Job.objects.select_related("actor")
    return jobs if may(request, "core.view_job") else jobs.filter(actor_id=request.user.pk)


def seen(request: Request, pk: int) -> Job:
    """Raises Unknown for others' jobs alike."""
    job = job_get(pk)
    if job.actor_id != request.user.pk and not may(request, "core.view_job"):
        raise Unknown(f"There is no job {pk}.")
    return job
