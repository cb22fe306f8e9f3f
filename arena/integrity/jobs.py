"""Imports that outlast the request for them."""

from typing import Any

from arena.core.jobs import Task, job
from arena.integrity.imports import import_path, votes_import
from arena.integrity.uploads import is_upload, upload_remove


@job("import")
def run_import(task: Task) -> Any:
    """params: file (a name in the import folder), skip_bad, dry_run."""
    name = task.params["file"]
    imported = votes_import(
        path=import_path(name),
        skip_bad=task.params["skip_bad"],
        dry_run=task.params["dry_run"],
        progress=lambda rows, share: task.tell(f"{rows:,} rows", share),
    )
    if imported.segment and is_upload(name):
        upload_remove(name)
    return imported.as_json()
