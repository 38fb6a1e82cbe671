"""Search attributes on a real server that does not let a worker create them."""

import pytest
from temporalio.client import Client

from models.errors import UnavailableError
from worker.search_attributes import register_search_attributes
from workflows import attributes


async def test_a_refusal_says_what_to_create_by_hand(temporal: Client) -> None:
    """Where the server refuses, each attribute is named with its type, as the `temporal` command takes it."""
    elsewhere = Client(temporal.service_client, namespace="nowhere")
    with pytest.raises(UnavailableError, match="search attributes of namespace 'nowhere'") as refused:
        await register_search_attributes(elsewhere)
    for key in attributes.ALL:
        assert f"--name {key.name} --type " in refused.value.remedy
    assert "--name ModelopsWaitsFor --type KeywordList" in refused.value.remedy
    assert "--name ModelopsDue --type Datetime" in refused.value.remedy
