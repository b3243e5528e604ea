"""What every answer tells the browser, errors and static files included."""

from app.settings import Settings

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

# Of /static/diagram.html, which draws what somebody wrote: no origin, no network, no way out but what it says to us.
DIAGRAM_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
)

HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    # A page that was left must not come back after signing out; what may be kept says so itself.
    "cache-control": "no-store",
}
HSTS = "max-age=31536000; includeSubDomains"

RawHeader = tuple[bytes, bytes]


def security_headers(settings: Settings) -> list[RawHeader]:
    """The table as raw headers, made once."""
    table = HEADERS | ({"strict-transport-security": HSTS} if settings.is_https else {})
    return [(name.encode(), value.encode()) for name, value in table.items()]


def add_missing(headers: list[RawHeader], table: list[RawHeader]) -> None:
    """Add what the answer did not decide for itself (a stricter policy for user files, caching of assets)."""
    present = {name.lower() for name, _ in headers}
    headers.extend(pair for pair in table if pair[0] not in present)
