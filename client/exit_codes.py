"""How a command ends: its exit status says which kind of error it was."""

from models.errors import (
    ConflictError,
    InvalidInputError,
    ModelopsError,
    RefusedError,
    UnavailableError,
    UnknownNameError,
)

REFUSED = 3

_STATUS: dict[type[ModelopsError], int] = {
    RefusedError: REFUSED,
    ConflictError: REFUSED,
    UnknownNameError: 6,
    InvalidInputError: 4,
    UnavailableError: 5,
}

EXIT_CODES = (
    "Exit status: 0 done, 1 a bug of ours, 2 wrong usage, 3 refused (a rule says no, or it exists already), "
    "4 invalid input, 5 unavailable (no server, no worker, no inventory), 6 not found, 7 the audit trail does not hold."
)
TAMPERED = 7


def exit_status(error: ModelopsError) -> int:
    """The exit status that says which kind of error it was."""
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 1)
