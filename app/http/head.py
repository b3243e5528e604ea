"""HEAD: what GET would say, without its body."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


async def answer_head(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Have `app` answer as to GET. The answer is over after its headers: a stream learns that nobody reads it."""
    is_over = False

    async def send_headers(message: Message) -> None:
        nonlocal is_over
        if message["type"] == "http.response.start":
            await send(message)
        elif not is_over:
            is_over = True
            await send({"type": "http.response.body", "body": b""})

    await app({**scope, "method": "GET"}, receive, send_headers)
