"""Answers of the Open Inference Protocol v2: outputs by name, with a datatype, and one value for each row."""

from collections.abc import Iterator, Sequence
from math import inf, isfinite
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from models.inventory import Column, DataContract

SCORE, LABEL = "score", "label"
_KINDS = {
    "number": ("FP", "INT", "UINT", "BF"),
    "integer": ("INT", "UINT"),
    "boolean": ("BOOL", "INT", "UINT"),
    "string": ("BYTES",),
}
"""How the protocol's datatypes begin that hold a column of a type; it has no dates and no categories."""


class Output(BaseModel):
    """One tensor of an answer."""

    name: str
    datatype: str = ""
    data: tuple[float | int | bool | str | None, ...]


class Answer(BaseModel):
    """The answer to an inference request."""

    outputs: tuple[Output, ...]

    def named(self, name: str) -> Output | None:
        """The output of a name."""
        return next((one for one in self.outputs if one.name == name), None)

    @property
    def scores(self) -> tuple[float, ...]:
        """The scores, infinite for what is none; nothing if there is no such output."""
        found = self.named(SCORE)
        return tuple(float(one) if isinstance(one, int | float) else inf for one in found.data) if found else ()

    def labels(self, contract: DataContract) -> tuple[bool, ...]:
        """Which rows are selected: as the answer says, else by the contract's threshold."""
        found = self.named(LABEL)
        return tuple(map(bool, found.data)) if found else tuple(one >= contract.threshold for one in self.scores)


class Asked(NamedTuple):
    """The bytes of an answer, and how long it took."""

    body: bytes
    seconds: float


def read_answer(body: bytes) -> Answer | None:
    """An answer, or None if it is something else."""
    try:
        return Answer.model_validate_json(body)
    except ValidationError:
        return None


def misfits(contract: DataContract, answer: Answer | None, rows: int) -> Iterator[str]:
    """Where an answer does not fit the output schema; a number that goes by no name of its own is the score."""
    if answer is None:
        yield "the answer is no prediction"
        return
    for column in contract.outputs:
        output = answer.named(column.name) or (answer.named(SCORE) if column.type == "number" else None)
        if output is None:
            yield f"the answer has no '{column.name}'"
        else:
            yield from _misfit(column, output, rows)
    for score in answer.scores:
        if not 0 <= score <= 1:
            yield f"a row is answered with the score {score:g}, which is not a probability"
            return


def _misfit(column: Column, output: Output, rows: int) -> Iterator[str]:
    if len(output.data) != rows:
        yield f"{rows} rows are answered with {len(output.data)} values of '{output.name}'"
    if output.datatype and not output.datatype.startswith(_KINDS[column.type]):
        yield f"'{output.name}' is {output.datatype}, the schema says {column.type}"
    if any(one is None or (isinstance(one, float) and not isfinite(one)) for one in output.data):
        yield f"a row is answered without a value of '{output.name}'"


def distance(these: Sequence[float], those: Sequence[float]) -> float:
    """The largest distance of two values of a row; infinite if the rows are not the same number."""
    if len(these) != len(those):
        return inf
    return max((abs(one - other) for one, other in zip(these, those, strict=True)), default=inf)
