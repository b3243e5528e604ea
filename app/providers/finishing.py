"""Why an answer ended, in the words of many servers."""

from app.providers.errors import ProviderFailed
from app.providers.values import line

MAX_REASON = 64  # characters

_WORDS = {
    "stop": "stop eos eos_token end_turn stop_sequence complete completed finished",
    "length": "length max_tokens max_length model_length max_output_tokens",
    "content_filter": "content_filter safety recitation blocklist prohibited_content spii content_filtered",
    "refusal": "refusal",
    "tool_calls": "tool_calls function_call tool_use",
}
_KNOWN = {word: reason for reason, words in _WORDS.items() for word in words.split()}
_FAILURES = frozenset({"error", "abort", "aborted", "failed", "insufficient_system_resource", "engine_overloaded"})


def reason_of(word: object, server: str) -> str:
    """One of ours, or the server's own word. Raises ProviderFailed for a word that means that it failed."""
    word = line(word, MAX_REASON)
    if word.lower() in _FAILURES:
        raise ProviderFailed(f"{server} ended the answer with “{word}”.", began=True)
    return _KNOWN.get(word.lower(), word or "stop")
