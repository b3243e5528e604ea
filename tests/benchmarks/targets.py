"""The promises, beside what was measured."""

from collections.abc import Mapping
from typing import Any

# At most.
TARGETS: Mapping[str, float] = {
    "page_first_kb": 60,
    "page_first_requests": 8,
    "page_first_can_type_ms": 300,
    "page_first_layout_shift": 0,
    "page_second_kb": 12,
    "page_second_requests": 2,
    "page_elements": 900,
    "page_stream_busy_percent": 15,
    "page_stream_bytes_per_token": 120,
    "page_cpu_s_per_1000_tokens_20": 0.35,
    "page_end_of_5000_ms": 25,
    "page_end_of_5000_over_50": 1.3,
}


def table(results: Mapping[str, Any]) -> str:
    width = max(map(len, results))
    return "\n".join(
        f"{name:<{width}}  {value!s:>10}  {_beside(name, value)}".rstrip() for name, value in results.items()
    )


def _beside(name: str, value: Any) -> str:
    if name not in TARGETS:
        return ""
    return f"≤ {TARGETS[name]:g}" + ("" if value <= TARGETS[name] else "  OVER")
