"""How talking to a model server fails, by name. The class decides what is retried, never the text."""

MAX_RETRY_AFTER = 300.0  # seconds


class ProviderError(Exception):
    """A failed call. `message` is for people and quotes at most 200 characters of the server, no secrets.

    `permanent`: asking again gives the same. `retry_after` in seconds, when the server said so, within 0…300;
    `is_far` if it said more than that.
    `began`: bytes of the answer had arrived (for a paid server: it may have billed).
    """

    code = "provider_error"
    permanent: bool = False

    def __init__(self, message: str, *, retry_after: float | None = None, began: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = None if retry_after is None else min(retry_after, MAX_RETRY_AFTER)
        self.is_far = retry_after is not None and retry_after > MAX_RETRY_AFTER
        self.began = began


class ProviderUnavailable(ProviderError):
    """Refused, unresolvable, timed out, 408/425/5xx."""

    code = "unavailable"


class FirstTokenTimeout(ProviderUnavailable):
    """The connection stood, but no token came in time: a paid server may be billing for it."""


class ProviderBusy(ProviderError):
    """429: come back later."""

    code = "busy"


class ProviderCut(ProviderError):
    """The stream ended, or fell silent, before the end marker."""

    code = "interrupted"


class ProviderFailed(ProviderError):
    """The model server itself said in mid-stream that it failed."""

    code = "provider_failed"


class ProviderProtocolError(ProviderError):
    """Not what the protocol says; a retry would give the same."""

    code = "protocol"
    permanent = True


class ProviderRejected(ProviderError):
    """400, 413, 422, a content filter: this request will never be answered."""

    code = "rejected"
    permanent = True


class ContextOverflow(ProviderError):
    """The prompt is longer than the model's window."""

    code = "context_overflow"
    permanent = True


class ProviderUnusable(ProviderError):
    """What is installed here cannot run the model, until somebody repairs it."""

    code = "unusable"
    permanent = True


class PaymentRequired(ProviderError):
    """402, or a quota that is used up: waiting does not help, somebody has to pay."""

    code = "payment"
    permanent = True


class ModelNotFound(ProviderError):
    code = "model_not_found"
    permanent = True


class CredentialsRefused(ProviderError):
    """401 or 403: the operator's key is wrong."""

    code = "credentials"
    permanent = True
