"""Where windows of production data come from, as an administrator's file says it: templates name no place."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from models.canonical import Duration, Frozen, Slug
from models.environments import Credentials
from models.metrics import Query
from models.source.administration import load_said

_REMEDY = (
    "Write `windows: {loan-approval: {kind: sql, url: {env: WAREHOUSE_URL}, query: ...}}`, "
    "or `{kind: files, folder: /data/loans}`."
)


class Folder(Frozen):
    """A folder in which each CSV or Parquet file is a window; the file modified last is the newest."""

    kind: Literal["files"]
    folder: Annotated[str, StringConstraints(pattern=r"^/", max_length=1_000)]


class Question(Frozen):
    """A database, by a SQLAlchemy URL, which is a secret, and a SELECT of the cases from `:since` on and before
    `:until`, which are UTC; `:model` is filled in, too. `within` is how long all of them may take to arrive.
    """

    kind: Literal["sql"]
    url: Credentials
    query: Query
    within: Annotated[Duration, Field(ge=1, le=1_200)] = 600


class SaidWindows(Frozen):
    """Of each model whose windows do not come as files into its folder under the home: where they come from."""

    windows: dict[Slug, Annotated[Folder | Question, Field(discriminator="kind")]] = Field(
        default_factory=dict, max_length=10_000
    )


def load_windows(text: bytes, file: str) -> SaidWindows:
    """What a file says; InvalidInputError."""
    return load_said(SaidWindows, text, file, _REMEDY)
