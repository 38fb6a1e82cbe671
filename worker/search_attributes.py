"""The search attributes that lifecycles set, registered once per namespace."""

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client

from models.errors import ConflictError
from workflows import attributes


async def register_search_attributes(client: Client) -> None:
    """Add what is missing.

    The server silently ignores a name that exists with another type, so that is a ConflictError here.
    """
    operator = client.operator_service
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
        await operator.add_search_attributes(request)
