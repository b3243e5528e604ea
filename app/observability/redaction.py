"""Secrets do not reach the log, whoever put them into a message."""

import re
from urllib.parse import urlsplit

from app.settings import Settings, split_commas

HIDDEN = "***"
MIN_SECRET = 8

# No part may begin in many places and run far from each of them: strangers choose this text.
_VALUE = r"""("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|(?:bearer\s+)?[^\s"'&,;})\]]+)"""
_NAMED = re.compile(
    r"""(?ix) ((?:password|passwd|secret|_token|api[_-]?key|authorization|cookie) ["']? \s*[=:]\s*)""" + _VALUE
)
_SHAPED = re.compile(
    r"(?i:\bbearer\s+)[\w.~+/=-]+|\bth_[\w-]{8,}|\bsk-[\w-]{16,}|\beyJ[\w-]{1,2000}\.[\w-]+(?:\.[\w-]+)?|(?<=/s/)[\w.-]{8,}"
)


class Redactor:
    """Hides what looks like a credential and what is known to be one."""

    def __init__(self, settings: Settings) -> None:
        servers = split_commas(f"{settings.ollama_url},{settings.openai_base_url}")
        urls = (settings.database_url, settings.redis_url, *servers)
        self._known: tuple[str, ...] = ()
        # Whole and in parts: a key that holds a comma, and one for each address.
        keys = [
            part for key in (settings.ollama_api_key, settings.openai_api_key) for part in (key, *split_commas(key))
        ]
        for secret in (settings.secret_key, *keys, *(_password(url) for url in urls)):
            self.hide(secret)

    def hide(self, secret: str) -> None:
        """One more text that must never be seen."""
        if len(secret) >= MIN_SECRET and secret not in self._known:
            self._known = (*self._known, secret)

    def __call__(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return _SHAPED.sub(HIDDEN, _NAMED.sub(rf"\1{HIDDEN}", text))


def _password(url: str) -> str:
    return urlsplit(url).password or ""
