"""What will not change by waiting ends at once; what may pass is asked again. In the words of real servers."""

import json
from typing import Any

import pytest

from app.providers.errors import (
    ContextOverflow,
    CredentialsRefused,
    ModelNotFound,
    PaymentRequired,
    ProviderBusy,
    ProviderError,
    ProviderFailed,
    ProviderRejected,
    ProviderUnavailable,
    ProviderUnusable,
)
from app.providers.failures import from_error_event, from_status

FINAL: list[tuple[int, Any, type[ProviderError]]] = [
    # Ollama
    (500, "model requires more system memory (21.5 GiB) than is available (7.4 GiB)", ProviderUnusable),
    (500, "llama runner process has terminated: cudaMalloc failed: out of memory", ProviderUnusable),
    (500, "llama runner process has terminated: error loading model: invalid magic characters", ProviderUnusable),
    (500, "unable to load model: /usr/share/ollama/.ollama/models/blobs/sha256-74701a8c", ProviderUnusable),
    (
        500,
        "llama runner process has terminated: exit status 127: libcudart.so.12: cannot open shared object file",
        ProviderUnusable,
    ),
    (400, "invalid model: unknown model architecture: 'gemma9'", ProviderUnusable),
    (404, "model 'llama9' not found", ModelNotFound),
    (500, 'model "llama9" not found, try pulling it first', ModelNotFound),
    (400, '"all-minilm:latest" does not support chat', ProviderRejected),
    (400, "input length (9001 tokens) exceeds the model's maximum context length (8192 tokens)", ContextOverflow),
    # llama.cpp, vLLM, SGLang, LM Studio, TGI
    (
        400,
        {"message": "request (9001 tokens) exceeds the available context size", "type": "exceed_context_size_error"},
        ContextOverflow,
    ),
    (500, "Jinja Exception: Conversation roles must alternate user/assistant/user/assistant/...", ProviderRejected),
    (500, "the request exceeds the available context size. try increasing the context size", ContextOverflow),
    (400, "This model's maximum context length is 8192 tokens. However, you requested 9001 tokens.", ContextOverflow),
    (400, "The input (9001 tokens) is longer than the model's context length (8192 tokens).", ContextOverflow),
    (
        400,
        "Trying to keep the first 9001 tokens when context the overflows. Reduce the length of the prompt",
        ContextOverflow,
    ),
    (
        422,
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. The input is too long.",
        ContextOverflow,
    ),
    (404, "The model `x` does not exist.", ModelNotFound),
    # OpenAI, Anthropic, Gemini, DeepSeek, Mistral, OpenRouter
    (
        429,
        {"message": "You exceeded your current quota, please check your plan", "code": "insufficient_quota"},
        PaymentRequired,
    ),
    (402, {"message": "Insufficient Balance"}, PaymentRequired),
    (402, {"message": "This request requires more credits"}, PaymentRequired),
    (400, {"message": "Your credit balance is too low to access the API."}, PaymentRequired),
    (400, {"message": "prompt is too long: 213462 tokens > 200000 maximum"}, ContextOverflow),
    (400, {"message": "The input token count (1200000) exceeds the maximum number of tokens allowed"}, ContextOverflow),
    (
        400,
        {"message": "Prompt contains 9001 tokens, too large for model with 8192 maximum context length"},
        ContextOverflow,
    ),
    (400, {"message": "Expected last role User or Tool for serving but got assistant"}, ProviderRejected),
    (401, {"message": "Incorrect API key provided"}, CredentialsRefused),
]
PASSING: list[tuple[int, Any, type[ProviderError]]] = [
    (429, "Rate limit reached for requests", ProviderBusy),
    (429, {"message": "You exceeded your current quota. Please retry in 34.07s."}, ProviderBusy),
    (503, "Loading model", ProviderUnavailable),
    (503, "server busy, please try again. maximum pending requests exceeded", ProviderUnavailable),
    (500, "llama runner process no longer running: -1", ProviderUnavailable),
    (500, "timed out waiting for llama runner to start", ProviderUnavailable),
    (529, {"message": "Overloaded", "type": "overloaded_error"}, ProviderUnavailable),
    (502, "<html><title>502 Bad Gateway</title></html>", ProviderUnavailable),
    (500, "The model is not available at the moment", ProviderUnavailable),
]


def body_of(said: Any) -> bytes:
    return json.dumps({"error": said}).encode() if not str(said).startswith("<") else str(said).encode()


@pytest.mark.parametrize(("status", "said", "expected"), [*FINAL, *PASSING])
def test_a_failure_is_named_by_its_words(status: int, said: Any, expected: type[ProviderError]) -> None:
    error = from_status(status, body_of(said), {}, "The model server")
    assert type(error) is expected
    assert error.permanent is ((status, said, expected) in FINAL)


PAGE = "<html><head><style>b{color:red}</style><script>track()</script></head><b>Attention required</b></html>"


@pytest.mark.parametrize(
    ("status", "body", "expected", "said"),
    [
        (403, PAGE, ProviderRejected, "The model server refuses the request: Attention required"),
        (403, '{"error":{"message":"flagged by moderation"}}', ProviderRejected, "flagged by moderation"),
        (403, '{"error":{"message":"no access to this key"}}', CredentialsRefused, "no access to this key"),
        (403, "", CredentialsRefused, "status 403"),
        (502, f"<style>{'b{color:red}' * 5000}</style>Attention", ProviderUnavailable, "failed with 502: Attention"),
        (502, f"<p>Attention</p><script>{'track();' * 500}", ProviderUnavailable, "failed with 502: Attention"),
        (502, PAGE, ProviderUnavailable, "The model server failed with 502: Attention required"),
        (
            422,
            '{"detail":[{"loc":["body","messages",0],"msg":"Field required"},{"loc":["body"],"msg":"Bad"}]}',
            ProviderRejected,
            "The model server refuses the request: messages.0: Field required; Bad",
        ),
        (422, '{"detail":"Bad"}', ProviderRejected, "The model server refuses the request: Bad"),
        (422, '{"detail":["odd",{}]}', ProviderRejected, "The model server refuses the request: odd; {}"),
    ],
)
def test_it_reads_as_a_sentence(status: int, body: str, expected: type[ProviderError], said: str) -> None:
    error = from_status(status, body.encode(), {}, "The model server")
    assert type(error) is expected
    assert error.message.endswith(said)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("the request exceeds the available context size", ContextOverflow),
        ({"message": "You exceeded your current quota", "code": "insufficient_quota"}, PaymentRequired),
        ("Jinja Exception: Conversation roles must alternate user/assistant", ProviderRejected),
        ({"message": "no such model", "code": 404}, ModelNotFound),
        ("CUDA error: out of memory", ProviderFailed),  # while it ran: the next try may find enough
        ("unexpected EOF", ProviderFailed),
    ],
)
def test_so_it_is_in_a_stream(said: Any, expected: type[ProviderError]) -> None:
    assert type(from_error_event(said, "The model server", began=True)) is expected


@pytest.mark.parametrize(("spelled", "is_far"), [("300", False), ("301", True), ("7200", True)])
def test_who_says_to_come_back_much_later_is_not_waited_for(spelled: str, is_far: bool) -> None:
    error = from_status(429, b"", {"Retry-After": spelled}, "The model server")
    assert (error.is_far, error.retry_after) == (is_far, 300)
