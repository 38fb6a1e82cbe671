"""A model's report in a few sentences: whether it is healthy, what is open, and what has happened lately."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from client.milestones import Milestone
from client.views import Held, Looked
from models.state import Phase
from models.verdict import Verdict

_WORDS = {
    Verdict.PASS: "Healthy",
    Verdict.FAIL: "Not healthy",
    Verdict.INCONCLUSIVE: "Cannot be told",
}
_COUNTED = {
    "champions": ("change of champion", "changes of champion"),
    "breaches": ("breach", "breaches"),
    "remedies": ("remedy", "remedies"),
    "decisions": ("decision or request of people", "decisions or requests of people"),
    "turned away": ("version turned away", "versions turned away"),
    "stuck": ("standstill", "standstills"),
}
_WAITS = frozenset({Phase.DECIDING, Phase.STUCK, Phase.AWAITING_VERSION})


def health(held: Held) -> str:
    """In a word or two."""
    return _WORDS[held.health] if held.health else "Not measured"


def why(held: Held, looks: Sequence[Looked]) -> Iterator[str]:
    """What the health rests on: what each monitor found last of the champion, failures first."""
    last = {look.monitor: look for look in looks if look.version in (held.champion, None)}
    if held.champion is None:
        yield "Nothing serves."
    elif not last:
        yield f"Nothing was measured yet of version {held.champion}, which serves."
    for look in sorted(last.values(), key=lambda look: (look.verdict is not Verdict.FAIL, look.verdict, look.monitor)):
        if look.verdict is not Verdict.PASS:
            yield f"Monitor '{look.monitor}', on {look.at:%Y-%m-%d %H:%M} UTC: {'; '.join(look.reasons)}."
    passed = [monitor for monitor, look in sorted(last.items()) if look.verdict is Verdict.PASS]
    if passed:
        yield f"{_all_or(len(passed), len(last))} passed at the last look: {', '.join(passed)}."
    if last and held.health is None:
        yield "What was read is about how it is governed: nothing was read of the model itself."


def open_matters(held: Held, looks: Sequence[Looked]) -> Iterator[str]:
    """What somebody has to see to."""
    failing = {look.monitor for look in _last(looks) if look.verdict is Verdict.FAIL}
    yield from (f"Monitor '{monitor}' has not passed since it failed." for monitor in sorted(failing))
    if held.phase in _WAITS:
        yield f"The lifecycle waits for people in stage '{held.stage}' ({held.phase.replace('_', ' ')})."
    if held.obligations_overdue is None:
        yield "Nobody has looked whether anything is overdue."
    elif held.obligations_overdue:
        yield f"{held.obligations_overdue} obligations are overdue."
    if held.contradictions:
        yield f"{held.contradictions} things contradict the record."


def lately(happened: Sequence[Milestone], since: datetime) -> str:
    """How often which kind of thing happened since a moment."""
    counts = Counter(one.lane for one in happened if one.at >= since)
    told = [
        f"{counts[lane]} {one if counts[lane] == 1 else more}" for lane, (one, more) in _COUNTED.items() if counts[lane]
    ]
    return f"Since {since:%Y-%m-%d}: {', '.join(told) or 'nothing was decided, and nothing happened'}."


def _last(looks: Sequence[Looked]) -> Sequence[Looked]:
    return list({look.monitor: look for look in looks}.values())


def _all_or(part: int, whole: int) -> str:
    return (
        ("The monitor" if whole == 1 else f"All {whole} monitors") if part == whole else f"{part} of {whole} monitors"
    )
