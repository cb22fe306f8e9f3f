"""schemathesis against the running server: no 500, and nothing that the schema does not say."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import schemathesis
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from arena.integrity.imports import votes_import
from arena.leaderboard.services import publish, refit
from arena.voters.models import Voter
from tests.api.conftest import styled, token_of
from tests.leaderboard.test_refit import cast

EXAMPLES = 10
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def token(transactional_db: None, tmp_path: Path) -> str:
    """Whoever may everything, in an arena with a publication, a draft and a vote to seal."""
    votes_import(path=styled(tmp_path))
    publish()
    cast(Voter.objects.create())
    refit()
    return token_of(User.objects.create_superuser("root"))


def operations(site: str) -> Iterator[APIOperation]:
    schema = schemathesis.openapi.from_url(f"{site}/api/v1/schema.json")
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


def test_no_answer_is_a_500_or_not_in_the_schema(
    site: str, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.conf.settings.API_RATE", None)
    headers = {"Authorization": f"Token {token}"}
    tried = 0
    with requests.Session() as session:
        for operation in operations(site):
            for mode in GenerationMode:

                @BOUNDED
                @given(case=operation.as_strategy(generation_mode=mode))
                def conforms(case: Case) -> None:
                    case.call_and_validate(session=session, headers=headers, checks=CHECKS)

                if mode is GenerationMode.NEGATIVE and not (operation.query or operation.body):
                    continue
                conforms()
                tried += 1
    assert tried > 40
