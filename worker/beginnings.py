"""A lifecycle that begins because something else asks for it: under the packs of the day, proved, as a person would."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.resources import files

from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.ports import Inventory, Policies, Prover
from models.compiler import compile_with_warnings
from models.errors import ConflictError, UnknownNameError
from models.inventory import ModelFacts
from models.journal import LifecycleInput
from models.plan import Plan
from models.policy import Policy
from models.state import State
from workflows import attributes


class Beginnings:
    """Begins lifecycles of registered models on built-in templates."""

    def __init__(
        self,
        client: Client,
        queue: str,
        inventory: Inventory,
        policies: Policies,
        prover: Prover,
        demand: Callable[[Plan], None],
    ) -> None:
        """`demand` raises NotPermittedError of a plan that cannot be carried out here."""
        self._client = client
        self._queue = queue
        self._inventory = inventory
        self._policies = policies
        self._prover = prover
        self._demand = demand

    async def begin(self, model: str, template: str) -> None:
        """UnknownNameError, TemplateError, NotPermittedError; ConflictError if it has ended, or was lost."""
        facts, given = await asyncio.to_thread(self._given, model, template)
        found_by: Sequence[SearchAttributePair[str]] = (
            SearchAttributePair(attributes.MODEL, facts.id),
            SearchAttributePair(attributes.OWNER, facts.owner),
            SearchAttributePair(attributes.TIER, facts.risk_tier.value),
        )
        try:
            await self._client.start_workflow(
                template,
                given,
                id=f"model/{model}",
                task_queue=self._queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=TypedSearchAttributes(found_by),
                memo={"title": facts.title, "intended_use": facts.intended_use},
            )
        except WorkflowAlreadyStartedError as error:
            raise ConflictError(f"'{model}' has a lifecycle already", f"`modelops status {model}` shows it") from error

    def _given(self, model: str, template: str) -> tuple[ModelFacts, LifecycleInput]:
        facts = self._inventory.model(model)
        with suppress(UnknownNameError):
            stage, _ = self._inventory.visit(model)
            raise ConflictError(
                f"the lifecycle of '{model}' is lost; by its record it is in stage '{stage}'",
                f"`modelops rebuild {model}` goes on with it",
            )
        plan = self._compiled(template, facts)
        self._demand(plan)
        state = State(model=facts.id, owner=facts.owner)
        return facts, LifecycleInput(plan=plan, state=state, proof=self._prover.prove(plan))

    def _compiled(self, template: str, facts: ModelFacts) -> Plan:
        folder = files("workflows").joinpath("templates").iterdir()
        found = ((one.name.partition(".yaml"), one) for one in folder)
        texts = {name: one.read_bytes() for (name, ending, _), one in found if ending}
        if template not in texts:
            raise UnknownNameError(f"there is no template '{template}'", f"built in are {', '.join(sorted(texts))}")
        policy = Policy(self._policies.packs(), datetime.now(UTC).date(), facts)
        return compile_with_warnings(texts[template], f"{template}.yaml", policy, texts).plan
