"""What a bundle brings along to be asked: its sample request, and golden predictions as a CSV file of real rows.

Only the files that are asked for are read, each by its digest.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from activities.adapters.csv_table import Table, read_table
from activities.ports import ArtifactStore
from models.bundle.manifest import GOLDEN_FILE, SAMPLE_FILE, TITLE, BundleConfig, Manifest
from models.canonical import Digest, digest_bytes
from models.errors import DigestMismatchError, InvalidInputError
from models.golden import SCORE
from models.inventory import Column, Submission
from models.validation import Golden, Sample

GOLDEN_ROWS = 1_000
"""So many golden predictions are asked for at most, the first ones."""


class _Input(BaseModel):
    shape: tuple[int, ...]


class _Request(BaseModel):
    inputs: tuple[_Input, ...]


class BundleSamples:
    """Fits `Samples`: those of the bundles in one store."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    def sample(self, bundle: Digest) -> Sample:
        """The sample request, and golden predictions with their tolerance if there are any.

        UnknownNameError, DigestMismatchError, InvalidInputError if it is no bundle, or has no sample request.
        """
        try:
            manifest = Manifest.model_validate_json(self._read(bundle))
            files = {one.annotations.get(TITLE, ""): one.digest for one in manifest.layers}
            request = self._read(files[SAMPLE_FILE])
            rows = _Request.model_validate_json(request).inputs[0].shape[0]
            submission = BundleConfig.model_validate_json(self._read(manifest.config.digest)).submission
            golden = self._golden(files[GOLDEN_FILE], submission) if GOLDEN_FILE in files else None
            return Sample(request=request.decode(), rows=rows, golden=golden)
        except (ValidationError, KeyError, IndexError) as error:
            raise InvalidInputError(
                f"{bundle} is no bundle that can be asked: {type(error).__name__}", "package the version again"
            ) from error

    def _golden(self, predictions: Digest, submission: Submission) -> Golden | None:
        if submission.golden is None:
            return None
        columns = submission.contract.inputs
        table = read_table(self._checked(predictions), [*(one.name for one in columns), SCORE], at_most=GOLDEN_ROWS)
        request = json.dumps({"inputs": _tensors(table, columns)})
        scores = tuple(table.numbers(Column(name=SCORE)).tolist())
        return Golden(request=request, scores=scores, tolerance=submission.golden.tolerance)

    def _read(self, digest: Digest) -> bytes:
        return self._checked(digest).read_bytes()

    def _checked(self, digest: Digest) -> Path:
        path = self._store.path(digest)
        if (found := digest_bytes(path.read_bytes())) != digest:
            raise DigestMismatchError(f"the bundle's part {digest} was changed: it is {found} now")
        return path


def _tensors(table: Table, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """One matrix of numbers, or a tensor for each column if one is of texts."""
    tensors = [_tensor(table, column) for column in columns]
    if any(tensor["datatype"] == "BYTES" for tensor in tensors):
        return tensors
    data = [value for row in zip(*(tensor["data"] for tensor in tensors), strict=True) for value in row]
    return [{"name": "input", "shape": [table.rows, len(columns)], "datatype": "FP64", "data": data}]


def _tensor(table: Table, column: Column) -> dict[str, Any]:
    """One column; a missing number is null."""
    if column.type == "string":
        return {"name": column.name, "shape": [table.rows], "datatype": "BYTES", "data": list(table.cells[column.name])}
    values = [None if math.isnan(value) else value for value in table.numbers(column).tolist()]
    return {"name": column.name, "shape": [table.rows], "datatype": "FP64", "data": values}
