"""What holds requests and answers to the published descriptions notices what is not in them."""

import json
from typing import Any

import pytest

from tests.contract.held import Operation, example, operations

RUN, RUNS = "GET /repos/{owner}/{repo}/actions/runs/{run_id}", "/actions/workflows/{workflow_id}/runs"
DISPATCH, BUILDS, BUILD = "/dispatches", "GET /{organization}/{project}/_apis/build/builds", "builds/{buildId}"
NAMES = ("github", "azure_build", "azure_pipelines")


def operation(end: str, method: str) -> Operation:
    """The one whose name ends so."""
    (found,) = [one for one in operations(*NAMES)[method] if one.name.endswith(end)]
    return found


def text(value: Any) -> bytes:
    """As it is sent."""
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("end", "method", "query", "body", "wrong"),
    [
        (RUNS, "get", "per_page=100&event=workflow_dispatch", b"", ""),
        (RUNS, "get", "per_page=many", b"", "'many' is not of type 'integer'"),
        (RUNS, "get", "pages=1", b"", "the parameter 'pages' is not published"),
        (RUNS, "get", "", b"{}", "a body is not published"),
        (DISPATCH, "post", "", text({"ref": "main", "inputs": {"a": "b"}}), ""),
        (DISPATCH, "post", "", text({"inputs": {}}), "'ref' is a required property"),
        (DISPATCH, "post", "", text({"ref": "main", "branch": "main"}), "'branch' was unexpected"),
        (BUILDS, "get", "api-version=7.1&buildNumber=a", b"", ""),
        (BUILDS, "get", "buildNumber=a", b"", "'api-version' is missing"),
        (BUILD, "patch", "api-version=7.1", text({"status": "cancelling"}), ""),
        (BUILD, "patch", "api-version=7.1", text({"status": "stopped"}), "'stopped' is not one of"),
    ],
)
def test_a_request(end: str, method: str, query: str, body: bytes, wrong: str) -> None:
    """Each parameter and each property is one that is published, of its type; none that is demanded is missing."""
    found = operation(end, method).request(query, body)
    assert (wrong in "; ".join(found)) if wrong else found == []


@pytest.mark.parametrize(
    ("end", "status", "body", "wrong"),
    [
        (RUN, 200, text(example("github", "workflow-run")), ""),
        (RUN, 200, text(example("github", "workflow-run") | {"named": "a"}), "'named' was unexpected"),
        (RUN, 200, text(example("github", "workflow-run") | {"status": 1}), "$.status"),
        (RUN, 200, text({"id": 1}), "'display_title' is a required property"),
        (RUN, 201, b"", "the status 201 is not published"),
        (RUNS, 200, text(example("github", "workflow-run-paginated")), "the header 'Link' is missing"),
        (BUILDS, 200, text({"count": 1, "value": [{"id": 1, "buildNumber": "a"}]}), ""),
        (BUILDS, 200, text([{"id": 1}]), "is not of type 'object'"),
        (BUILDS, 200, text({"count": 1, "value": [{"id": 1, "name": "a"}]}), "'name' was unexpected"),
    ],
)
def test_an_answer(end: str, status: int, body: bytes, wrong: str) -> None:
    """The published examples fit; what is invented, missing or of another type does not."""
    found = operation(end, "get").answer(status, {}, body)
    assert (wrong in "; ".join(found)) if wrong else found == []
