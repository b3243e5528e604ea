"""The promises, beside what was measured."""

from collections.abc import Mapping
from typing import Any

# At most.
TARGETS: Mapping[str, float] = {
    "start_s": 3,
    "idle_mib": 130,
    "following_cpu_percent": 2,
    "following_kb": 30,
    "installed_mib": 200,
    "installed_packages": 80,
    "added_ttft_ms_one": 12,
    "added_ttft_ms_50": 200,
    "added_ttft_ms_200": 1200,
    "failed_50": 0,
    "failed_200": 0,
    "token_delay_p99_ms_50": 15,
    "cpu_s_per_1000_tokens_50": 0.17,
    "cpu_s_per_1000_tokens_200": 0.15,
    "open_500_messages_ms": 10,
    "list_60_of_2000_ms": 5,
    "rendering_stream_ratio": 4,
    "rendering_hostile_100k_s": 2,
    "page_first_kb": 60,
    "page_first_requests": 8,
    "page_first_can_type_ms": 300,
    "page_first_layout_shift": 0,
    "page_second_kb": 12,
    "page_second_requests": 2,
    "page_elements": 900,
    "page_stream_busy_percent": 15,
    "page_stream_bytes_per_token": 120,
    "page_font_kb": 250,
    "page_cpu_s_per_1000_tokens_20": 0.35,
    "page_end_of_5000_ms": 25,
    "page_end_of_5000_over_50": 1.3,
    "app_sign_in_js_kb": 110,
    "app_sign_in_css_kb": 30,
    "app_chat_js_kb": 200,
    "app_chat_css_kb": 30,
    "app_first_layout_shift": 0,
    "app_scroll_loading_longest_ms": 50,
    "app_scroll_longest_ms": 50,
    "app_stream_busy_percent": 30,
    "app_keystroke_longest_ms": 50,
    "front_idle_pss_mib": 250,
    "front_added_ttft_ms": 10,
    "front_added_token_delay_p99_ms": 15,
    "front_failed": 0,
    **{
        f"front_{way}_{what}_100": most
        for way in ("restart", "reload", "hup")
        for what, most in (("failed", 0), ("wrong", 0), ("silence_s", 5))
    },
    "front_nine_workers_start_s": 6,
    **{
        f"queue_{what}_ratio_{database}_{users}_users": 1.5
        for what in ("accepting", "claiming")
        for database in ("sqlite", "postgresql")
        for users in (100, 10000)
    },
    **{
        f"queue_watching_percent_{database}_{users}_users": 15
        for database in ("sqlite", "postgresql")
        for users in (100, 10000)
    },
    "crowd_delay_p99_ms": 250,
    "crowd_incomplete": 0,
    "crowd_kb_per_viewer": 60,
    "backup_accepted_p99_ratio": 2,
    "doctor_large_s": 3,
}
AT_LEAST: Mapping[str, float] = {"front_static_per_s": 5000, "workers_2_over_1": 1.8}


def table(results: Mapping[str, Any]) -> str:
    width = max(map(len, results))
    return "\n".join(
        f"{name:<{width}}  {value!s:>10}  {_beside(name, value)}".rstrip() for name, value in results.items()
    )


def _beside(name: str, value: Any) -> str:
    if name in AT_LEAST:
        return f"≥ {AT_LEAST[name]:g}" + ("" if value >= AT_LEAST[name] else "  UNDER")
    if name not in TARGETS:
        return ""
    return f"≤ {TARGETS[name]:g}" + ("" if value <= TARGETS[name] else "  OVER")
