"""The suite, over every kind; the embedded one runs it with its real model in embedded/test_provider.py."""

from typing import Any

import pytest

from app.providers.base import ChatProvider
from tests.providers import conformance


@pytest.mark.parametrize("behaviour", conformance.ALL, ids=lambda one: one.__name__)
async def test_it(behaviour: Any, provider: ChatProvider) -> None:
    await behaviour(provider, "scripted:latest")
