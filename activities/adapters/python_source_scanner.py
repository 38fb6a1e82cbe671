"""Weaknesses in Python code, by bandit and by ruff's rules of the same numbers: both in bounded child processes.

The code is looked at under names of ours, so that nothing in it decides what is left out: no settings, no ignored
folders, no comments that ask not to be looked at.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from pydantic import BaseModel, TypeAdapter, ValidationError

from activities.adapters.child_process import run_module
from models.inventory import Source
from models.supply.reports import SourceIssue, SourceReport

_CHILD = "activities.adapters.bounded_program"
_RUFF = ("ruff", "check", "--isolated", "--no-cache", "--ignore-noqa", "--no-respect-gitignore", "--select", "S")
_BANDIT = ("bandit", "--quiet", "--recursive", "--ignore-nosec", "--exclude", "//")
_FOUND_NOTHING, _FOUND = 0, 1
_SUFFIXES = (".py", ".pyw", ".pyi")
_NOTEBOOK = ".ipynb"
_PASSWORDS = frozenset({"105", "106", "107"})
_PASSWORD = "possibly a password in the code"  # noqa: S105 - what is said instead of one
_MEMORY = 2 << 30
_MOST_BYTES = 8 << 20


class _Cell(BaseModel):
    cell_type: str
    source: str | list[str] = ""


class _Notebook(BaseModel):
    cells: list[_Cell]


class _Place(BaseModel):
    row: int


class _RuffFinding(BaseModel):
    code: str | None
    filename: Path
    location: _Place
    message: str


class _BanditFinding(BaseModel):
    test_id: str
    filename: Path
    issue_severity: str
    issue_text: str
    line_number: int
    line_range: list[int]


class _BanditFailure(BaseModel):
    filename: Path
    reason: str


class _BanditAnswer(BaseModel):
    errors: list[_BanditFailure]
    metrics: dict[str, object]
    results: list[_BanditFinding]


_RUFF_ANSWER = TypeAdapter(list[_RuffFinding])


class PythonSourceScanner:
    """Fits `SourceScanner`. Files that are no Python are counted; the code cells of notebooks are Python."""

    def __init__(self, timeout_seconds: float = 120.0) -> None:
        """How long each of the two programs may take."""
        self._timeout = timeout_seconds

    def scan(self, source: Source, files: Mapping[str, bytes]) -> SourceReport:
        """What was found, or why it was not looked at: a file that is no valid Python, a program that fails."""
        try:
            code = {path: text for path, data in files.items() if (text := _code(path, data)) is not None}
            issues = self._issues(code) if code else ()
        except ValueError as error:
            return SourceReport(source=source, not_scanned=(str(error),))
        return SourceReport(source=source, files=len(code), others=len(files) - len(code), issues=tuple(issues))

    def _issues(self, code: Mapping[str, bytes]) -> Iterable[SourceIssue]:
        if sum(map(len, code.values())) > _MOST_BYTES:
            raise ValueError(f"the Python code is larger than the {_MOST_BYTES >> 20} MB that are looked at")
        with TemporaryDirectory(prefix="modelops-source-") as folder:
            paths = dict[Path, str]()
            for number, (path, data) in enumerate(code.items()):
                copy = Path(folder, f"{number}.py")
                copy.write_bytes(data)
                paths[copy] = path
            return list(_merged(paths, self._bandit(folder, paths), self._ruff(folder)))

    def _bandit(self, folder: str, paths: Mapping[Path, str]) -> list[_BanditFinding]:
        answer = _BanditAnswer.model_validate_json(self._run(*_BANDIT, "--format", "json", folder))
        for failure in answer.errors:
            raise ValueError(f"{paths.get(failure.filename, failure.filename)} cannot be read: {failure.reason}")
        if not_seen := {str(path) for path in paths} - answer.metrics.keys():
            raise ValueError(f"bandit left {len(not_seen)} files out")
        return answer.results

    def _ruff(self, folder: str) -> list[_RuffFinding]:
        return _RUFF_ANSWER.validate_json(self._run(*_RUFF, "--output-format", "json", folder))

    def _run(self, program: str, *words: str) -> bytes:
        limits = (str(_MEMORY), str(int(self._timeout)))
        try:
            child = run_module(_CHILD, [*limits, program, *words], self._timeout)
        except TimeoutError:
            raise ValueError(f"{program} did not end within {self._timeout:g} seconds") from None
        if child.returncode not in (_FOUND_NOTHING, _FOUND) or not child.stdout:
            raise ValueError(f"{program} ended with status {child.returncode}: is the extra `scan` installed?")
        return child.stdout


def _code(path: str, data: bytes) -> bytes | None:
    """The Python in a file; None if it is no Python."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix == _NOTEBOOK:
        return _cells(path, data)
    first = data[:200].partition(b"\n")[0]
    is_script = first.startswith(b"#!") and b"python" in first
    return data if suffix in _SUFFIXES or is_script else None


def _cells(path: str, data: bytes) -> bytes:
    try:
        notebook = _Notebook.model_validate_json(data)
    except ValidationError:
        raise ValueError(f"{path} is no notebook that can be read") from None
    cells = ["".join(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    lines = [line for cell in cells if not cell.startswith("%%") for line in cell.splitlines()]
    return "\n".join(_without_magic(line) for line in lines).encode()


def _without_magic(line: str) -> str:
    """A line for the shell or for IPython is none of Python; its indentation may matter."""
    bare = line.lstrip()
    return f"{line[: len(line) - len(bare)]}pass" if bare.startswith(("!", "%")) else line


def _merged(
    paths: Mapping[Path, str], bandit: Iterable[_BanditFinding], ruff: Iterable[_RuffFinding]
) -> Iterator[SourceIssue]:
    """Each weakness once. What ruff alone finds has no severity, and counts as medium."""
    seen = set[tuple[Path, str, int]]()
    for one in bandit:
        number = one.test_id[1:]
        seen |= {(one.filename, number, line) for line in (one.line_number, *one.line_range)}
        yield _issue(paths[one.filename], one.line_number, number, one.issue_severity.lower(), one.issue_text)
    for two in ruff:
        if two.code is None or not two.code.startswith("S"):
            raise ValueError(f"{paths[two.filename]}, line {two.location.row}: {two.message}")
        if (two.filename, two.code[1:], two.location.row) not in seen:
            yield _issue(paths[two.filename], two.location.row, two.code[1:], "medium", two.message)


def _issue(path: str, line: int, number: str, severity: str, message: str) -> SourceIssue:
    said = _PASSWORD if number in _PASSWORDS else message
    return SourceIssue.model_validate(
        {"path": path, "line": line, "rule": f"S{number}", "severity": severity, "message": said}
    )
