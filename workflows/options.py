"""Named timeouts, retry policies and task queues: no literal anywhere else."""

from datetime import timedelta

from temporalio.common import RetryPolicy

TASK_QUEUE = "modelops"


def actuator_queue(task_queue: str) -> str:
    """Where the actuator that belongs to the worker of a queue takes its orders."""
    return f"{task_queue}-actuator"


HEARTBEAT_TIMEOUT = timedelta(seconds=10)
"""A worker that died is noticed after this; the worker beats by itself, three times as often."""

TRAINING_TIMEOUT = timedelta(hours=12)
COLLECTING = timedelta(minutes=5)
"""What an attempt may last beyond the run of a pipeline: to begin it, to cancel it, to fetch what it left."""

INTERNAL_TIMEOUT = timedelta(minutes=5)
"""One attempt of a step that the kernel asks for itself: asking approvers, restoring a version."""

STEP_RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),
    maximum_attempts=15,
)
"""About five minutes, in which a database fails over; then the step is stuck, where a person sees it."""

TRAINING_RETRIES = RetryPolicy(initial_interval=timedelta(minutes=1), maximum_attempts=3)
"""An attempt may take all night."""

REGISTER_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=5)
"""Somebody waits for the answer."""

IDENTIFY_TIMEOUT = timedelta(seconds=5)
IDENTIFY_WITHIN = timedelta(seconds=8)
IDENTIFY_RETRIES = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=2)
"""Somebody waits for the answer."""

HEARD_AT_ONCE = 50
BREATH = timedelta(milliseconds=1)
"""Signals that a workflow task hears, and the pause before the next one: two busy seconds are taken for a deadlock."""

REFUSALS_RECORDED = 100
"""Refused messages of one run that enter the record one by one; a flood of more is refused and leaves nothing."""

RECORD_TIMEOUT = timedelta(seconds=10)
PROVE_TIMEOUT = timedelta(minutes=15)
"""A plan that nobody has explored yet is explored before it is recorded."""

CONFIRM_TIMEOUT = timedelta(minutes=15)
"""The whole trail of all models is hashed again before a rebuilt lifecycle goes on."""

RECORD_PAUSE = timedelta(seconds=15)
"""The record does not answer: say so in the card, and try again after this; twice as long each time."""

RECORD_PAUSE_AT_MOST = timedelta(hours=1)

RECORD_RETRIES = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=3)
RECORD_PATIENCE = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
"""Once people have been told: try for ever, which costs no event; only what retrying cannot mend comes back."""

JOURNAL_BYTES = 200_000
"""Of events that travel with one activity or into the next run; the server refuses a payload of 2 MB."""

MEASURE_TIMEOUT = timedelta(minutes=30)
REGISTER_TIMEOUT = timedelta(minutes=1)

CHECKPOINT_TIMEOUT = timedelta(minutes=2)
CHECKPOINT_EVERY = timedelta(hours=1)
DELIVERY_TIMEOUT = timedelta(minutes=10)
DELIVERY_EVERY = timedelta(minutes=1)
RECONCILE_TIMEOUT = timedelta(minutes=10)
REGISTRY_TIMEOUT = timedelta(minutes=20)
REGISTRY_RETRIES = RetryPolicy(maximum_attempts=1)
"""The next round comes soon."""

ANSWER_TIMEOUT = timedelta(seconds=5)
"""How long one lifecycle may take to say where it is."""

NEWBORN = PROVE_TIMEOUT
"""How long an execution may be without a record: its plan is being proved."""

RECORD_GRACE = timedelta(seconds=30)
"""How long record and execution may differ: what is being recorded or deployed just now is no contradiction."""
