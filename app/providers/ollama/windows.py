"""How many tokens a model of Ollama's holds: the same in every request, or Ollama would load it anew between two."""

import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.providers.ollama.details import MAX_TEXT, context_length_of
from app.providers.values import positive, text

USUAL = 8192  # where nothing is known
_LEAST, _MOST = 2048, 32_768  # that are chosen without being told
_SHARE = 8  # of the machine's memory, one part is for what the model has read
_GIVEN = re.compile(r"^num_ctx\s+(\d+)\s*$", re.MULTILINE)
_BYTES_OF_NUMBER = 2


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """What /api/show tells, in tokens; None where it does not.

    `given`: the operator's Modelfile. `longest`: what the model was made for. `token_bytes`: memory of one token.
    `is_elsewhere`: Ollama passes the model's requests on; its window is not ours to ask for.
    """

    given: int | None = None
    longest: int | None = None
    token_bytes: int | None = None
    is_elsewhere: bool = False

    def choice(self, loaded: int | None, memory: int | None) -> int:
        """As the operator says, else as it is loaded, else as model and machine allow. `memory` in bytes."""
        if self.is_elsewhere:
            return self.longest or USUAL
        return self.given or loaded or min(self.longest or USUAL, _affordable(self.token_bytes, memory))


def window_facts_of(model: str, shown: Any) -> WindowFacts:
    shown = shown if isinstance(shown, dict) else {}
    given = _GIVEN.search(text(shown, "parameters", MAX_TEXT))
    info = shown.get("model_info")
    return WindowFacts(
        given=positive(int(given[1])) if given and len(given[1]) < 10 else None,
        longest=context_length_of(info),
        token_bytes=_token_bytes(info if isinstance(info, dict) else {}),
        is_elsewhere=bool(shown.get("remote_host")) or model.endswith("cloud"),
    )


def memory_of(base_url: str) -> int | None:
    """Bytes, of the machine that the server runs on, if that is this one."""
    if urlsplit(base_url).hostname not in ("localhost", "127.0.0.1", "::1"):
        return None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _affordable(token_bytes: int | None, memory: int | None) -> int:
    if not token_bytes or not memory:
        return USUAL
    tokens: int = max(_LEAST, min(_MOST, memory // _SHARE // token_bytes))
    return 1 << (tokens.bit_length() - 1)


def _token_bytes(info: dict[str, Any]) -> int | None:
    """Keys and values of every layer, at two bytes a number."""

    def fact(name: str) -> int | None:
        found = [value for key, value in info.items() if str(key).endswith(f".{name}")]
        told = found[0] if found else None
        return max(filter(None, map(positive, told)), default=None) if type(told) is list else positive(told)

    layers, heads = fact("block_count"), fact("attention.head_count_kv")
    width, all_heads = fact("embedding_length"), fact("attention.head_count")
    usual = width // all_heads if width and all_heads else None
    key, value = fact("attention.key_length") or usual, fact("attention.value_length") or usual
    return layers * heads * (key + value) * _BYTES_OF_NUMBER if layers and heads and key and value else None
