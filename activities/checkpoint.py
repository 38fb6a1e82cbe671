"""Where the trail ends, signed and kept outside the database."""

from temporalio import activity

from activities.ports import Notary
from models.checkpoint import read_checkpoint


class CheckpointActivities:
    """Has the notary seal the trail."""

    def __init__(self, notary: Notary) -> None:
        self._notary = notary

    @activity.defn(name="write_checkpoint", no_thread_cancel_exception=True)
    def write_checkpoint(self) -> str:
        """One more checkpoint, unless nothing was recorded since the last one; what was done, in words."""
        envelope = self._notary.checkpoint()
        if envelope is None:
            return "nothing was recorded since the last checkpoint"
        sealed = read_checkpoint(envelope)
        return f"checkpoint {sealed.number} seals the trail up to entry {sealed.position}"
