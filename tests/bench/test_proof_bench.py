"""What it costs to check a template, to prove its graph, and to explore the kernel on it, beside named references."""

import time
import tracemalloc
from collections.abc import Callable

import pytest
import yaml

from models.compiler import compile_template
from models.lifecycle import step
from models.plan import Plan
from models.proof.exploration import Explorer
from models.proof.graph import gates_before, holds_before, kinds_of, way_to
from models.state import State
from models.template import load_template
from models.verdict import Verdict
from tests.bench.table import show
from tests.unit.kernel_world import TEMPLATES, World, plan_of

pytestmark = pytest.mark.bench

STAGES = 300
TIMES_THE_KERNEL = 7
TIMES_PYYAML = 1
TIMES_LOADING = 1.0
BYTES_A_STATE = 6_000


def _seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The best of a few."""
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


def _long(stages: int) -> str:
    """A template of many stages, each with a gate and a way back."""
    names = [f"s{number}" for number in range(stages)]
    rows = [
        f"  {name}: {{do: [evaluate], gate: {{checks: [auc]}}, "
        f"then: {{pass: {following}, fail: development, inconclusive: {name}}}}}"
        for name, following in zip(names, [*names[1:], "production"], strict=True)
    ]
    development = "do: [register, scan, evaluate, package], gate: {checks: [auc]}"
    return "\n".join(
        [
            "lifecycle: long",
            "version: 1",
            "title: As long as they come",
            "tiers: [low]",
            'kpis: {auc: {pass: ">= 0.75", fail: "< 0.7"}}',
            "enters: {new_version: development, retirement: retiring}",
            "stages:",
            "  intake: {do: [classify], then: {pass: development, fail: retiring, inconclusive: retiring}}",
            f"  development: {{{development}, then: {{pass: s0, fail: development, inconclusive: development}}}}",
            *rows,
            "  production: {environment: PROD, do: [promote], steady: true}",
            "  retiring: {do: [undeploy, archive], then: retired}",
            "  retired: {terminal: true}",
        ]
    )


def test_loading_and_checking() -> None:
    """Loading strictly, with every place kept, and all structural checks, beside PyYAML's own loader of the text."""
    text = (TEMPLATES / "credit-high-risk.yaml").read_text()
    plain, ours = _seconds(lambda: yaml.safe_load(text)), _seconds(lambda: compile_template(text, "t"))
    loading = _seconds(lambda: load_template(text, "t"))
    rows = [
        ("strict load / yaml.safe_load", (f"{loading / plain:.2f}", f"{loading * 1e3:.1f} ms")),
        ("load and check / yaml.safe_load", (f"{ours / plain:.2f}", f"{ours * 1e3:.1f} ms")),
    ]
    show("credit-high-risk", ("ratio", "time"), rows)
    assert ours / plain <= TIMES_PYYAML


def test_graph_proofs_of_a_long_template() -> None:
    """Gates and steps before every stage, and a way to production, cost less than to read the template."""
    text = _long(STAGES)
    plan = compile_template(text, "long")
    loading = _seconds(lambda: load_template(text, "long"))

    def prove() -> None:
        gates_before(plan.stages, plan.enters)
        holds_before(plan.by_name, plan.enters.new_version, kinds_of, Verdict)
        assert way_to(plan.by_name, plan.enters.new_version, "PROD")

    proofs = _seconds(prove)
    row = ("graph proofs / load", (f"{proofs / loading:.2f}", f"{proofs:.2f} s"))
    show(f"{len(plan.stages)} stages", ("ratio", "time"), [row])
    assert proofs / loading <= TIMES_LOADING


@pytest.mark.parametrize("name", ["low-risk", "credit-high-risk"])
def test_exploration(name: str) -> None:
    """A transition of the exploration, beside one event of the bare kernel in a recorded story; memory by state."""
    plan = plan_of(name)
    kernel = _kernel(plan)
    explorer = Explorer(plan)
    began = time.perf_counter()
    assert explorer.run(200_000)
    explorer.demand_ways()
    seconds = time.perf_counter() - began
    found = explorer.report("proved")
    ratio = seconds / found.transitions / kernel
    size = _memory(plan) / found.states if name == "low-risk" else 0
    rows = [
        ("a transition explored / step()", (f"{ratio:.1f}", f"{seconds / found.transitions * 1e6:.0f} us")),
        ("states per second", (f"{found.states / seconds:.0f}", f"{found.states} in {seconds:.1f} s")),
        *([("bytes per state", (f"{size:.0f}", ""))] if size else []),
    ]
    show(f"{name}, {found.transitions} transitions", ("", ""), rows)
    assert ratio <= TIMES_THE_KERNEL
    assert size <= BYTES_A_STATE


def _kernel(plan: Plan) -> float:
    """Seconds for one event of a whole life."""
    world = World(plan)
    world.to_production()

    def whole() -> None:
        state = State(model="loans", owner="olga")
        for event in world.events:
            state = step(plan, state, event).state

    return _seconds(whole, repeats=200) / len(world.events)


def _memory(plan: Plan) -> int:
    tracemalloc.start()
    explorer = Explorer(plan)
    explorer.run(200_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak
