"""What has become of the columns of production data: those that came, that went, or that hold something else."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import Field

from models.canonical import Frozen
from models.golden import SCORE
from models.inventory import DataContract
from models.taken import Taken
from models.verdict import Reading

CHANGES = "schema_changes"

_OURS = frozenset({SCORE, "unit"})
"""What a window may have of ours: what somebody else's model answered, and whom a case is about."""


class Columns(NamedTuple):
    """The columns of some data, and in words, what is strange about inputs among them."""

    header: Sequence[str]
    strange: Mapping[str, str]


class SchemaReport(Frozen):
    """`came`: columns that the training data has not. `went`: inputs, or protected columns of cases with outcomes.

    `changed`: inputs that hold something else than the data contract says, each in words.
    """

    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()
    changed: dict[str, str] = Field(default_factory=dict)

    @property
    def in_words(self) -> str:
        """As in `went: income; column 'age' is not all numbers: row 3 holds 'old'`."""
        lists = (("came", self.came), ("went", self.went))
        words = [f"{name}: {', '.join(columns)}" for name, columns in lists if columns]
        return "; ".join([*words, *self.changed.values()])

    def taken(self) -> Taken:
        """The reading: how many columns have changed, as of one window."""
        count = len(self.came) + len(self.went) + len(self.changed)
        reading = Reading(name=CHANGES, value=float(count), count=1)
        return Taken((reading,), details={CHANGES: self.in_words} if count else {})


def compare_columns(contract: DataContract, training: Sequence[str], window: Columns) -> SchemaReport:
    """The columns of a window beside the data contract and the header of the training data.

    The label may be missing: outcomes become known later, and with them the protected columns.
    """
    inputs = [column.name for column in contract.inputs]
    protected = [one.column for one in contract.protected] if contract.label in window.header else []
    known = {*training, *inputs, contract.label, *(one.column for one in contract.protected), *_OURS}
    return SchemaReport(
        came=tuple(name for name in dict.fromkeys(window.header) if name not in known),
        went=tuple(name for name in dict.fromkeys((*inputs, *protected)) if name not in window.header),
        changed=dict(window.strange),
    )
