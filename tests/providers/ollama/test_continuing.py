"""A model goes on from an answer's beginning only if its template leaves that open."""

import pytest

from app.providers.errors import ModelNotFound, ProviderUnavailable
from app.providers.ollama.client import OllamaProvider
from tests.model_server import ModelServer
from tests.providers.asking import settings_for
from tests.providers.ollama.test_template import CLOSES, KEEPS

OWN = "{{ currentDate }}{{ range .Messages }}{{ somethingNew .Content }}{{ end }}"
MODEL = "scripted:latest"


@pytest.mark.parametrize(
    ("template", "version", "closes", "renders_only", "expected", "asked"),
    [
        (KEEPS, "0.17.4", False, True, True, 0),
        (CLOSES, "0.17.4", True, True, False, 0),
        (CLOSES, "0.32.0", True, True, False, 0),
        (KEEPS, "0.32.0", False, True, True, 1),
        (KEEPS, "0.32.0-rc1", True, True, False, 1),  # the file's own template is preferred
        (KEEPS, "0.32.0", False, False, False, 1),
        (KEEPS, "1.7.7-compatible", False, True, True, 0),
        (OWN, "0.17.4", False, True, True, 1),
        (OWN, "0.17.4", True, True, False, 1),
        (OWN, "0.17.4", False, False, False, 1),
        (OWN, "0.11.4", False, True, False, 0),
        (OWN, "unheard of", False, True, False, 0),
    ],
)
async def test_it_is_the_template_that_decides_and_else_a_written_prompt(
    template: str, version: str, closes: bool, renders_only: bool, expected: bool, asked: int
) -> None:
    async with ModelServer(template=template, version=version, closes=closes, renders_only=renders_only) as server:
        provider = OllamaProvider(settings_for(), server.url)
        for _ in range(2):
            assert await provider.can_continue(MODEL) is expected
        assert len(server.chats) == asked
        for chat in server.chats:
            assert chat.json["options"] == {"num_ctx": 8192, "num_predict": 1}
        server.template = "{{/* changed */}}" + template
        await provider.can_continue(MODEL)
        assert len(server.chats) == 2 * asked, "another template is another question"
        await provider.aclose()


async def test_a_model_that_is_not_there_and_a_server_that_is_away_are_no_answer() -> None:
    async with ModelServer() as server:
        provider = OllamaProvider(settings_for(), server.url)
        with pytest.raises(ModelNotFound):
            await provider.can_continue("gone")
    with pytest.raises(ProviderUnavailable):
        await provider.can_continue(MODEL)
    await provider.aclose()
