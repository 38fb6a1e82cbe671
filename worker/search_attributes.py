"""The search attributes that lifecycles set, registered once per namespace."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError

from models.errors import ConflictError, UnavailableError
from workflows import attributes


async def register_search_attributes(client: Client) -> None:
    """Add what is missing; UnavailableError says how to do it by hand if the server does not let us.

    The server silently ignores a name that exists with another type, so that is a ConflictError here.
    """
    operator = client.operator_service
    with _translated(client, attributes.ALL):
        listed = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=client.namespace))
    known = dict(listed.custom_attributes)
    wanted = {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in attributes.ALL}
    clashing = [name for name, kind in wanted.items() if name in known and known[name] != kind]
    if clashing:
        raise ConflictError(
            f"namespace '{client.namespace}' has search attributes of another type: {', '.join(clashing)}",
            "remove them with `temporal operator search-attribute remove`, or use another namespace",
        )
    missing = {name: kind for name, kind in wanted.items() if name not in known}
    if missing:
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        with _translated(client, [key for key in attributes.ALL if key.name in missing]):
            await operator.add_search_attributes(request)


@contextmanager
def _translated(client: Client, keys: Iterable[SearchAttributeKey[Any]]) -> Iterator[None]:
    try:
        yield
    except RPCError as error:
        wanted = " ".join(f"--name {key.name} --type {_word(key)}" for key in keys)
        raise UnavailableError(
            f"the search attributes of namespace '{client.namespace}' cannot be seen or created: {error.message}",
            "check MODELOPS_TEMPORAL_NAMESPACE; if the server does not let workers create them, do it by hand: "
            f"temporal operator search-attribute create --namespace {client.namespace} {wanted}",
        ) from error


def _word(key: SearchAttributeKey[Any]) -> str:
    """A type as the `temporal` command calls it: KeywordList."""
    return key.indexed_value_type.name.title().replace("_", "")
