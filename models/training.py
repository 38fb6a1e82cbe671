"""What a trainer is asked for, wherever it runs, and what it may not change."""

from models.canonical import Frozen, Slug
from models.errors import TrainingError
from models.inventory import DataContract, Reference, Source, Submission


class TrainingRequest(Frozen):
    """A challenger of a version, from its training data and a window of production data."""

    training: tuple[Reference, ...]
    holdout: Reference
    window: Reference | None
    source: Source
    contract: DataContract
    developer: Slug
    submitter: Slug
    trainer: Slug


def request_of(trainer: Slug, previous: Submission, window: Reference | None) -> TrainingRequest:
    """The request for a challenger of a version."""
    return TrainingRequest(
        training=previous.training_data,
        holdout=previous.holdout,
        window=window,
        source=previous.source,
        contract=previous.contract,
        developer=previous.developer,
        submitter=trainer,
        trainer=trainer,
    )


def accept(trainer: Slug, previous: Submission, made: Submission) -> Submission:
    """What a trainer has made, in the trainer's own name; TrainingError if it would be judged by something else.

    The hold-out and the whole data contract must be the previous version's: a program may not choose what it is judged
    by, nor what it is asked.
    """
    before, now = previous.contract, made.contract
    kept = {
        "hold-out": (previous.holdout.digest, made.holdout.digest),
        "inputs": (before.inputs, now.inputs),
        "outputs": (before.outputs, now.outputs),
        "label": (before.label, now.label),
        "threshold": (before.threshold, now.threshold),
        "protected columns": (before.protected, now.protected),
    }
    for name, (was, became) in kept.items():
        if was != became:
            raise TrainingError(
                f"trainer '{trainer}' changed the {name}: was {was}, is {became}",
                remedy="A person submits a version that is to be judged by something else.",
            )
    return made.model_copy(update={"developer": previous.developer, "submitter": trainer, "trainer": trainer})
