"""`extends`: a template that writes only what it adds to another one.

Mappings are merged key by key, the lists named in `GROWING` grow, and whatever else the child writes takes the place of
what the parent wrote. Whether that only tightens is the compiler's business; here one text is made of several.
"""

from collections.abc import Iterator, Mapping

from models.diagnostics import Diagnostic, did_you_mean, quote
from models.source.yaml_source import Path, Source, Tree, parse_yaml

Parents = Mapping[str, str | bytes]
"""The texts that a template may extend, by the name that it gives them."""

GROWING = frozenset({"checks", "satisfies", "policies", "editors"})
"""Lists to which a child adds."""

OWN = frozenset({"lifecycle", "version"})
"""What a child never inherits: two templates of one name and version could not be told apart."""

DEEPEST = 8
_KEY = "extends"
_AT: Path = (_KEY,)
_UNKNOWN, _ENDLESS = "MO721", "MO723"


def parent_of(source: Source) -> str | None:
    """The name of the template that a text extends."""
    return str(source.tree[_KEY]) if isinstance(source.tree, dict) and _KEY in source.tree else None


def inherit(source: Source, parents: Parents, known: tuple[str, ...] = ()) -> Source:
    """The text with all that it inherits; a place that it did not write is that of its `extends`."""
    name, tree = parent_of(source), source.tree
    if name is None or not isinstance(tree, dict):
        return source
    if problem := next(_problems(source, name, parents, known), None):
        return _broken(source, problem)
    parent = inherit(parse_yaml(parents[name], name), parents, (*known, name))
    if parent.diagnostics:
        first = parent.diagnostics[0]
        code = first.code if first.code == _ENDLESS else _UNKNOWN
        return _broken(source, source.report(code, _AT, f"'{name}' cannot be read: {first.message}"))
    if not isinstance(parent.tree, dict):
        return _broken(source, source.report(_UNKNOWN, _AT, f"'{name}' is no template"))
    inherited = {key: value for key, value in parent.tree.items() if key not in OWN}
    return _merged(source, inherited, {key: value for key, value in tree.items() if key != _KEY})


def _broken(source: Source, problem: Diagnostic) -> Source:
    """Nothing can be said of a text whose parent is not known."""
    source.diagnostics.append(problem)
    source.complete = False
    return source


def _problems(source: Source, name: str, parents: Parents, known: tuple[str, ...]) -> Iterator[Diagnostic]:
    if name not in parents:
        yield source.report(_UNKNOWN, _AT, f"there is no template {quote(name)}", did_you_mean(name, parents))
    elif name in known:
        yield source.report(_ENDLESS, _AT, f"it extends itself, by way of {' and '.join(known)}")
    elif len(known) >= DEEPEST:
        yield source.report(_ENDLESS, _AT, f"more than {DEEPEST} templates extend one another")


def _merged(source: Source, parent: dict[str, Tree], child: dict[str, Tree]) -> Source:
    offsets: dict[Path, int] = {}
    tree = _merge(parent, child, (), offsets)
    whole = Source(source.file, tree, complete=source.complete, diagnostics=source.diagnostics)
    whole.values = {_moved(path, offsets): place for path, place in source.values.items()}
    whole.keys = {_moved(path, offsets): place for path, place in source.keys.items()}
    whole.written = _written(tree) | {_moved(path, offsets): text for path, text in source.written.items()}
    whole.spoilt = {_moved(path, offsets) for path in source.spoilt}
    whole.values[()] = source.place(_AT)
    return whole


def _merge(parent: Tree, child: Tree, path: Path, offsets: dict[Path, int]) -> Tree:
    if isinstance(parent, dict) and isinstance(child, dict):
        both = dict(parent)
        for key, value in child.items():
            both[key] = _merge(parent[key], value, (*path, key), offsets) if key in parent else value
        return both
    if isinstance(parent, list) and isinstance(child, list) and path[-1] in GROWING:
        offsets[path] = len(parent)
        return [*parent, *child]
    return child


def _moved(path: Path, offsets: Mapping[Path, int]) -> Path:
    """Where an entry of the child's list is in the list that has grown."""
    for length in range(len(path)):
        if path[:length] in offsets:
            return (*path[:length], int(path[length]) + offsets[path[:length]], *path[length + 1 :])
    return path


def _written(tree: Tree, path: Path = ()) -> dict[Path, str]:
    """What stands for the words of a parent, for messages that quote them."""
    if isinstance(tree, dict):
        return {place: text for key, value in tree.items() for place, text in _written(value, (*path, key)).items()}
    if isinstance(tree, list):
        return {place: text for i, value in enumerate(tree) for place, text in _written(value, (*path, i)).items()}
    return {path: str(tree)}
