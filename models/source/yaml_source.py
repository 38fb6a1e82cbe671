"""Strict YAML: a text becomes a plain tree that remembers where everything was written.

Types follow the core schema of YAML 1.2, narrowed: `true`, `false`, `null`, `~`, nothing, decimal whole numbers and
decimal fractions convert; everything else stays text, so `on`, `no`, `12:30`, `010` and `1_000` are what they look
like. Whatever would let the text mean more than it shows is refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite

import yaml

from models.diagnostics import Diagnostic, Place, diagnose, quote

Tree = str | int | float | bool | None | list["Tree"] | dict[str, "Tree"]
Path = tuple[str | int, ...]

LARGEST = 256 * 1024
DEEPEST = 32
_LONGEST_INTEGER = 18
_MOST_CHARACTERS_NAMED = 20
_MOST_PROBLEMS = 100
_START = Place(1, 1)
_WORDS: dict[str, Tree] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_FRACTION = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def spell_path(path: Path) -> str:
    """A path as people write it: `stages.validation.do[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


@dataclass
class Source:
    """A parsed text. `spoilt` are the places whose value could not be taken; they are null in the tree."""

    file: str
    tree: Tree = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    written: dict[Path, str] = field(default_factory=dict)
    spoilt: set[Path] = field(default_factory=set)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    complete: bool = False

    def place(self, path: Path, key: bool = False) -> Place:
        """Where a value (or its key) was written; for what was not, the nearest thing around it."""
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, _START)

    def report(
        self, code: str, path: Path, message: str, suggestion: str = "", *, key: bool = False, at: Place | None = None
    ) -> Diagnostic:
        """A diagnostic about a path of this text."""
        return diagnose(code, self.file, at or self.place(path, key), message, suggestion, spell_path(path))


def parse_yaml(text: str | bytes, file: str) -> Source:
    """Read a text; never raises. `complete` says whether there is a tree to go on with."""
    source = Source(file)
    decoded = _decode(source, text)
    if decoded is None:
        return source
    try:
        source.complete = _Reader(source).read(yaml.parse(decoded, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else _START
        said = ", ".join(part for part in (error.context, error.problem) if part)
        source.diagnostics.append(source.report("MO104", (), f"this is not YAML: {said}", at=place))
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        place = max(source.values.values(), default=_START)
        source.diagnostics.append(source.report("MO104", (), f"not YAML after this place: {quote(error)}", at=place))
    return source


def _decode(source: Source, text: str | bytes) -> str | None:
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="surrogatepass"))
    if size > LARGEST:
        message = f"the text has {size} bytes; at most {LARGEST} are read"
        source.diagnostics.append(source.report("MO102", (), message))
        return None
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        place = _place_in(bytes(error.object[: error.start]).decode(errors="replace"))
        source.diagnostics.append(source.report("MO101", (), f"byte {error.start} is not UTF-8", at=place))
        return None
    decoded = decoded.removeprefix("\ufeff")
    for found in list(_UNREADABLE.finditer(decoded))[:_MOST_CHARACTERS_NAMED]:
        message = f"character U+{ord(found[0]):04X} does not belong into a text"
        place = _place_in(decoded[: found.start()])
        source.diagnostics.append(source.report("MO101", (), message, at=place))
    return None if source.diagnostics else decoded


def _place_in(before: str) -> Place:
    lines = before.split("\n")
    return Place(len(lines), len(lines[-1]) + 1)


@dataclass
class _Frame:
    """A collection that is being read. Without a path it is only read to be thrown away."""

    path: Path | None
    content: list[Tree] | dict[str, Tree]
    is_key: bool = False
    key: str | None = None
    due: bool = False

    @property
    def wants_key(self) -> bool:
        return isinstance(self.content, dict) and not self.due

    def child(self) -> Path | None:
        if self.path is None:
            return None
        if isinstance(self.content, list):
            return (*self.path, len(self.content))
        return None if self.key is None else (*self.path, self.key)

    def attach(self, value: Tree) -> None:
        if isinstance(self.content, list):
            self.content.append(value)
        elif self.key is not None:
            self.content[self.key] = value
        self.key, self.due = None, False


class _Reader:
    """Builds the tree from PyYAML's events, without recursion: depth is counted, not suffered."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.frames: list[_Frame] = []
        self.documents = 0

    def read(self, events: Iterator[yaml.Event]) -> bool:
        """True if everything up to the end was read, however much of it was refused."""
        for event in events:
            match event:
                case yaml.DocumentStartEvent():
                    if not self._document(event):
                        return False
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.CollectionStartEvent():
                    if not self._open(event):
                        return False
                case yaml.CollectionEndEvent():
                    self._close()
        if self.documents == 0 or (self.source.tree is None and not self.source.spoilt):
            self._report("MO106", (), "the text holds nothing", at=_START)
            return False
        return True

    def _report(self, code: str, path: Path | None, message: str, suggestion: str = "", *, at: Place) -> None:
        if len(self.source.diagnostics) < _MOST_PROBLEMS:
            self.source.diagnostics.append(self.source.report(code, path or (), message, suggestion, at=at))

    def _document(self, event: yaml.DocumentStartEvent) -> bool:
        self.documents += 1
        if event.version or event.tags:
            self._report("MO108", (), "a directive (%) changes what the text means", "remove it", at=_place(event))
        if self.documents > 1:
            self._report("MO105", (), "a second document begins here", "keep one document", at=_place(event))
        return self.documents == 1

    def _child(self) -> Path | None:
        return self.frames[-1].child() if self.frames else ()

    def _attach(self, value: Tree) -> None:
        if self.frames:
            self.frames[-1].attach(value)
        else:
            self.source.tree = value

    def _properties(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, path: Path | None) -> None:
        if event.anchor is not None:
            self._report("MO107", path, f"anchor {quote(event.anchor)}", "write it out", at=_place(event))
        if event.tag is not None:
            self._report("MO108", path, f"tag {quote(event.tag)}", "remove it", at=_place(event))
            self._spoil(path)

    def _spoil(self, path: Path | None) -> None:
        if path is not None:
            self.source.spoilt.add(path)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self.frames and self.frames[-1].wants_key:
            self._key(self.frames[-1], event)
            return
        path = self._child()
        self._properties(event, path)
        if path is not None:
            self.source.values[path] = _place(event)
            self.source.written[path] = event.value
        self._attach(self._value(event, path))

    def _value(self, event: yaml.ScalarEvent, path: Path | None) -> Tree:
        if bad := _UNREADABLE.search(event.value):
            self._report("MO101", path, f"character U+{ord(bad[0]):04X} does not belong into a text", at=_place(event))
            self._spoil(path)
            return None
        if event.style:
            return str(event.value)
        if _out_of_bounds(event.value):
            self._report("MO112", path, f"{quote(event.value)} is too large a number", at=_place(event))
            self._spoil(path)
            return None
        return _convert(event.value)

    def _key(self, frame: _Frame, event: yaml.ScalarEvent) -> None:
        frame.due = True
        if frame.path is None:
            return
        text, path, place = str(event.value), (*frame.path, event.value), _place(event)
        self._properties(event, path)
        plain = not event.style
        if plain and text == "<<":
            self._report("MO109", frame.path, "merge key '<<'", "write the keys out", at=place)
        elif plain and (text in _WORDS or _INTEGER.match(text) or _FRACTION.match(text)):
            self._report("MO111", frame.path, f"the key {quote(text)} is not text", "use a name", at=place)
        elif _UNREADABLE.search(text):
            self._report("MO101", frame.path, "a key with a character that does not belong into a text", at=place)
        elif path in self.source.keys:
            first = self.source.keys[path]
            self._report("MO110", path, f"{quote(text)} is here already, in line {first.line}", "keep one", at=place)
        else:
            frame.key = text
            self.source.keys[path] = place

    def _alias(self, event: yaml.AliasEvent) -> None:
        is_key = bool(self.frames) and self.frames[-1].wants_key
        path = self._child()
        self._report("MO107", path, f"alias {quote(event.anchor)}", "write it out", at=_place(event))
        if is_key:
            self.frames[-1].due = True
            return
        self._spoil(path)
        if path is not None:
            self.source.values[path] = _place(event)
        self._attach(None)

    def _open(self, event: yaml.CollectionStartEvent) -> bool:
        place = _place(event)
        if len(self.frames) >= DEEPEST:
            self._report("MO103", (), f"nested more than {DEEPEST} levels deep", at=place)
            return False
        is_key = bool(self.frames) and self.frames[-1].wants_key
        path = None if is_key else self._child()
        if is_key:
            self._report("MO111", self.frames[-1].path, "a collection is not a key", "use a name", at=place)
        self._properties(event, path)
        if path is not None:
            self.source.values[path] = place
        self.frames.append(_Frame(path, {} if isinstance(event, yaml.MappingStartEvent) else [], is_key))
        return True

    def _close(self) -> None:
        frame = self.frames.pop()
        if frame.is_key:
            self.frames[-1].due = True
        else:
            self._attach(frame.content)


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark else _START


def _out_of_bounds(text: str) -> bool:
    if _INTEGER.match(text):
        return len(text.lstrip("+-")) > _LONGEST_INTEGER
    return bool(_FRACTION.match(text)) and not isfinite(float(text))


def _convert(text: str) -> Tree:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _FRACTION.match(text) else text
