"""Somebody who has got hold of a token, and what they would do with it first."""

from typing import Any


def deciding(key: str, device: str) -> list[tuple[str, str, Any]]:
    """What decides about the account, the gravest last."""
    return [
        ("POST", "api-keys", {"name": "another"}),
        ("DELETE", f"api-keys/{key}", None),
        ("DELETE", f"sessions/{device}", None),
        ("PATCH", "me", {"email": "thief@example.org"}),
        ("DELETE", "me", None),
    ]
