"""Takes out of the vendors' published descriptions what our adapters speak, so that tests read little.

    npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz
    git clone https://github.com/MicrosoftDocs/vsts-rest-api-specs
    curl -O https://developer.atlassian.com/cloud/jira/platform/swagger-v3.v3.json
    python -m tests.contract.published.extract package vsts-rest-api-specs swagger-v3.v3.json

Descriptions are left out, OpenAPI 3.0's `nullable` becomes JSON Schema's null; the rest is as it was published.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_ACTIONS = "/repos/{owner}/{repo}/actions"
GITHUB = (
    f"{_ACTIONS}/workflows/{{workflow_id}}/dispatches",
    f"{_ACTIONS}/workflows/{{workflow_id}}/runs",
    f"{_ACTIONS}/runs/{{run_id}}",
    f"{_ACTIONS}/runs/{{run_id}}/cancel",
    f"{_ACTIONS}/runs/{{run_id}}/artifacts",
    f"{_ACTIONS}/runs/{{run_id}}/deployment_protection_rule",
    f"{_ACTIONS}/artifacts/{{artifact_id}}/{{archive_format}}",
    "/app/installations/{installation_id}/access_tokens",
)
WEBHOOK = "deployment-protection-rule-requested"
_PROJECT = "/{organization}/{project}/_apis"
AZURE = {
    "pipelines": (
        f"{_PROJECT}/pipelines/{{pipelineId}}/runs",
        f"{_PROJECT}/pipelines/{{pipelineId}}/runs/{{runId}}/artifacts",
    ),
    "build": (
        f"{_PROJECT}/build/builds",
        f"{_PROJECT}/build/builds/{{buildId}}",
    ),
}
_JIRA = "/rest/api/3"
JIRA = {
    f"{_JIRA}/search/jql": "post",
    f"{_JIRA}/issue": "post",
    f"{_JIRA}/issue/{{issueIdOrKey}}/comment": "get post",
}
_TEXTS = {"description", "summary", "externalDocs", "tags", "title", "example", "servers", "operationId"}
_NAMED = {"properties", "schemas", "definitions", "parameters", "headers", "examples", "paths", "responses"}


def plain(part: Any, named: bool = False) -> Any:
    """A part without texts; below `named`, keys are names and stay."""
    if isinstance(part, list):
        return [plain(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {
        key: value if key == "examples" else plain(value, key in _NAMED)
        for key, value in part.items()
        if named or not (key in _TEXTS or key.startswith("x-"))
    }
    if not named and kept.pop("nullable", False) is True:
        return {"anyOf": [kept, {"type": "null"}]}
    return kept


def with_what_it_names(document: Any, parts: Iterable[Any]) -> dict[str, Any]:
    """Everything in a document that some parts refer to, and so on."""
    found: dict[str, Any] = {}
    ahead = [json.dumps(part) for part in parts]
    while ahead:
        for reference in re.findall(r'"\$ref": ?"#/([^"]+)"', ahead.pop()):
            if reference not in found:
                here = document
                for key in reference.split("/"):
                    here = here[key]
                found[reference] = plain({"examples": here})["examples"] if "/examples/" in reference else plain(here)
                ahead.append(json.dumps(found[reference]))
    return found


def nested(parts: dict[str, Any]) -> dict[str, Any]:
    """Each part at its path again."""
    tree: dict[str, Any] = {}
    for path, part in sorted(parts.items()):
        *above, last = path.split("/")
        here = tree
        for key in above:
            here = here.setdefault(key, {})
        here[last] = part
    return tree


def write(name: str, source: dict[str, str], paths: dict[str, Any], document: Any) -> None:
    """One extract."""
    known = nested(with_what_it_names(document, [paths]))
    text = json.dumps({"source": source, "paths": paths, **known}, indent=0, sort_keys=True, ensure_ascii=False)
    (HERE / f"{name}.json").write_text(text + "\n")


def read(file: Path) -> tuple[Any, str]:
    """A description, and the digest of its bytes."""
    data = file.read_bytes()
    return json.loads(data), f"sha256:{hashlib.sha256(data).hexdigest()}"


def write_jira(file: Path) -> None:
    """Jira Cloud's, as Atlassian publishes it; of each path what our adapter speaks."""
    document, digest = read(file)
    version = document["info"]["version"]
    source = {"package": f"swagger-v3.v3.json {version}", "digest": digest, "licence": "Apache-2.0"}
    paths = {
        path: {method: plain(document["paths"][path][method]) for method in methods.split()}
        for path, methods in JIRA.items()
    }
    write("jira", source, paths, document)


def main(octokit: Path, azure: Path, jira: Path) -> None:
    """Write all extracts anew."""
    write_jira(jira)
    document, digest = read(octokit / "generated" / "api.github.com.json")
    source = {"package": f"npm:@octokit/openapi@{document['info']['version']}", "digest": digest, "licence": "MIT"}
    paths = {path: plain(document["paths"][path]) for path in GITHUB}
    webhook = {f"/{WEBHOOK}": plain(document["x-webhooks"][WEBHOOK])}
    write("github", source, paths | webhook, document)
    for name, wanted in AZURE.items():
        file = Path("specification") / name / "7.1" / f"{name}.json"
        document, digest = read(azure / file)
        source = {"repository": f"github:MicrosoftDocs/vsts-rest-api-specs:{file}", "digest": digest, "licence": "MIT"}
        write(f"azure_{name}", source, {path: plain(document["paths"][path]) for path in wanted}, document)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
