"""Every state that a person can see. Screenshots and the audits walk this list."""

from tests.browser.screens import (
    account,
    administration,
    application,
    chat,
    formulas,
    islands,
    lists,
    messages,
    signed_out,
    writings,
)
from tests.browser.screens.registry import SCREENS, Screen, bring

__all__ = [
    "SCREENS",
    "Screen",
    "account",
    "administration",
    "application",
    "bring",
    "chat",
    "formulas",
    "islands",
    "lists",
    "messages",
    "signed_out",
    "writings",
]
