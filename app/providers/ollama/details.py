"""From Ollama's /api/show to what people are told of a model."""

from typing import Any

from app.providers.base import ModelDetails
from app.providers.values import line, positive, text

MAX_TEXT = 100_000
_MOST_ABILITIES, _MAX_ABILITY = 20, 40


def details_of(shown: Any) -> ModelDetails:
    shown = shown if isinstance(shown, dict) else {}
    facts = shown.get("details")
    facts = facts if isinstance(facts, dict) else {}
    return ModelDetails(
        family=_text(facts, "family"),
        parameter_size=_text(facts, "parameter_size"),
        quantization=_text(facts, "quantization_level"),
        capabilities=capabilities_of(shown.get("capabilities")),
        context_length=context_length_of(shown.get("model_info")),
        parameters=_text(shown, "parameters"),
        template=_text(shown, "template"),
        system=_text(shown, "system"),
        license=_text(shown, "license"),
    )


def _text(facts: dict[str, Any], name: str) -> str:
    value = facts.get(name)
    if isinstance(value, list):  # several licences
        facts = {name: "\n\n".join(part for part in value if isinstance(part, str))}
    return text(facts, name, MAX_TEXT).strip()


def context_length_of(model_info: Any) -> int | None:
    facts = model_info if isinstance(model_info, dict) else {}
    lengths = [length for k, v in facts.items() if str(k).endswith(".context_length") and (length := positive(v))]
    return min(lengths, default=None)


def capabilities_of(abilities: Any) -> tuple[str, ...]:
    if not isinstance(abilities, list):
        return ("chat",)
    told = [line(ability, _MAX_ABILITY) for ability in abilities[:_MOST_ABILITIES]]
    return tuple("chat" if ability == "completion" else ability for ability in told if ability)
