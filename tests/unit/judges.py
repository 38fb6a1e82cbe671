"""What notices a mutant: the proofs of a few plans, and the corpus of good and bad templates."""

from models.compiler import compile_template
from models.proof.exploration import explore
from tests.unit.kernel_world import TEMPLATES
from tests.unit.small_plans import REJECTING, SMALL


def proofs() -> str:
    """The first promise that the kernel breaks on one of these plans."""
    retraining = SMALL.replace("then: suspend,", "then: retrain,").replace("otherwise: escalate", "otherwise: suspend")
    texts = ((TEMPLATES / "low-risk.yaml").read_text(), retraining, REJECTING)
    for text in texts:
        found = explore(compile_template(text, "judged.yaml"), at_most=20_000)
        if found.outcome != "proved":
            return found.counter_example.broken if found.counter_example else found.outcome
    return ""
