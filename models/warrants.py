"""Who turned a lifecycle, and whether they may: by the keys, people and measurements that the actuator knows itself.

A lifecycle believes whatever is answered for an activity, be it about who asked or about what was found, and whoever
signals that there is a breach. What takes a version out of service, or puts another one in its place, is not done on
that word alone.
"""

from collections.abc import Mapping

from models.audit import EffectRecord, Replayed
from models.authentication import answers_for, read_request
from models.canonical import Slug, replace
from models.evidence import Electorate, StepOrder, StepResult
from models.inventory import Measured
from models.keys import Keyring
from models.messages import Action, Breached, Requested, StepSucceeded
from models.monitoring import is_breach
from models.plan import Plan, Remedy
from models.state import Phase, Turn, turn_of
from models.statements import read_statement

WAY_ON = (
    "whoever owns the model or holds a role of its lifecycle has to `retry` it if it is to happen, or to `abandon` it"
)


class Warrants:
    """Follows the events of a model; `doubt` is why nobody stands for what turned it last, empty if somebody does.

    Who answers for the model and retries what is in doubt stands for it. A turn that is admitted takes the place of the
    one before; what has come to rest is in doubt no more.
    """

    def __init__(
        self, plan: Plan, electorate: Electorate, keyring: Keyring, effects: Mapping[int, EffectRecord]
    ) -> None:
        """`effects` is what was done for the model, by the position of its entry, in order."""
        self.doubt = ""
        self._plan = plan
        self._electorate = electorate
        self._keyring = keyring
        self._found = {effect.key: effect.result for effect in effects.values()}
        self._looks = [
            (position, change)
            for position, effect in effects.items()
            for change in effect.changes
            if isinstance(change, Measured)
        ]

    def add(self, replayed: Replayed) -> None:
        """One event more."""
        recorded, state = replayed.recorded, replayed.state
        if recorded is None or recorded.refusal:
            return
        body = recorded.event.body
        if isinstance(body, Requested):
            self._requested(replayed, body)
        elif isinstance(body, StepSucceeded):
            self.doubt = self.doubt or self._unfound(replayed.before.in_flight, body.result)
        elif isinstance(body, Breached) and state.remedies[-1].remedy is Remedy.SUSPEND:
            self.doubt = self._unmeasured(body, replayed.position)
        if state.intent is None and state.phase in (Phase.STEADY, Phase.AWAITING_VERSION):
            self.doubt = ""

    def _requested(self, replayed: Replayed, body: Requested) -> None:
        turn = turn_of(body.action)
        if turn is None and not (self.doubt and body.action is Action.RETRY):
            return
        doubt = self._unasked(replayed, body)
        if turn and turn >= Turn.ROLLBACK:
            self.doubt = doubt
        elif not doubt and (turn or answers_for(replayed.before, body.request.person, self._electorate)):
            self.doubt = ""

    def _unasked(self, replayed: Replayed, body: Requested) -> str:
        """Why a request is not that of somebody who may ask for it."""
        if body.envelope is None or replayed.recorded is None:
            return f"nobody has signed the request to {body.action}"
        at, person = replayed.recorded.event.at, _signer(body)
        keys = {person: self._keyring.of(person, at)} if person else {}
        told = read_request(replayed.before, body.envelope, replace(self._electorate, keys=keys), at)
        if not isinstance(told, Requested) or (told.action, told.request) != (body.action, body.request):
            return f"something else was signed than the request to {body.action}"
        return told.objection

    def _unfound(self, done: StepOrder | None, said: StepResult) -> str:
        """Why what a step is said to have found led nowhere: whoever performs a step records it first."""
        if done is None or self._found.get(done.key) == said:
            return ""
        return f"what step '{done.step}' of visit {done.visit} is said to have found is not on record"

    def _unmeasured(self, body: Breached, position: int) -> str:
        """Why no measurement on record bears a breach out."""
        name, window = body.breach.monitor, body.breach.window
        monitor = self._plan.monitor(name)
        seen = [one for place, one in self._looks if place < position and one.monitor == name]
        first = next((number for number, one in enumerate(seen, 1) if one.window == window), len(seen) + 1)
        verdicts = [one.verdict for one in seen]
        ends = range(first, len(seen) + 1)
        if monitor and any(is_breach(monitor, verdicts[:end]) for end in ends):
            return ""
        return f"by the measurements on record, '{name}' is not in breach on window {window}"


def _signer(body: Requested) -> Slug | None:
    try:
        return read_statement(body.envelope).person if body.envelope else None
    except ValueError:
        return None
