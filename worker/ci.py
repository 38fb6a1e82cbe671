"""Pipelines of CI systems, as they are configured. Tokens are names of variables."""

from typing import Annotated, Literal

from pydantic import Field

from models.canonical import Frozen

Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/[^\s]*[^\s/])?$")]

Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
"""The name of a variable in which a secret is: settings never hold one."""

_Part = r"[A-Za-z0-9][A-Za-z0-9._-]*"


class GithubActions(Frozen):
    """A workflow of a repository."""

    system: Literal["github"]
    url: Url = "https://api.github.com"
    repository: Annotated[str, Field(pattern=f"^{_Part}/{_Part}$")]
    workflow: Annotated[str, Field(pattern=f"^{_Part}$")]
    ref: str = "main"
    token: Variable


class Jenkins(Frozen):
    """A job."""

    system: Literal["jenkins"]
    url: Url
    job: Annotated[str, Field(pattern=f"^{_Part}(/{_Part})*$")]
    user: str
    token: Variable


class AzureDevops(Frozen):
    """A pipeline of a project; `url` is https://dev.azure.com/ORGANISATION/PROJECT."""

    system: Literal["azure"]
    url: Url
    pipeline: int
    ref: str = "main"
    token: Variable


Ci = Annotated[GithubActions | Jenkins | AzureDevops, Field(discriminator="system")]
