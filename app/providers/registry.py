"""Which kinds of model server there are; each is imported at first use, since aiohttp takes its time."""

from collections.abc import Callable
from importlib import import_module

from app.providers.base import ChatProvider
from app.settings import Settings

DEFAULT_OLLAMA_URL = "http://127.0.0.1:11434"

KINDS = {
    "ollama": "app.providers.ollama.client.from_settings",
    "openai": "app.providers.openai_compatible.client.from_settings",
    "embedded": "app.providers.embedded.provider.from_settings",
}


def configured_kinds(settings: Settings) -> dict[str, bool]:
    """Provider name to whether somebody asked for it; what nobody asked for may be absent in silence."""
    kinds = {"ollama": bool(settings.ollama_url)}
    if settings.openai_base_url:
        kinds["openai"] = True
    if settings.embedded_model.lower() != "off":
        from app.providers.embedded.discovery import find_model

        if find_model(settings) is not None or settings.embedded_model != "auto":
            kinds["embedded"] = settings.embedded_model != "auto"
    return kinds


def is_demo(settings: Settings, name: str) -> bool:
    if name != "embedded":
        return False
    from app.providers.embedded.discovery import find_model

    found = find_model(settings)
    return found is not None and found.is_demo


def make_provider(name: str, settings: Settings) -> ChatProvider:
    module, _, function = KINDS[name].rpartition(".")
    make: Callable[[Settings], ChatProvider] = getattr(import_module(module), function)
    return make(settings)
