"""`teahouse ask`: a question from the terminal, answered through the HTTP API like anybody else's."""

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Any

import typer

from app.cli.serve import address_of
from app.cli.terminal import Exit, fail, read_settings

if TYPE_CHECKING:
    from app.cli.answer import Answer
    from app.cli.api_client import Client, SignIn


def ask(
    question: str = typer.Argument(help="What to ask; - reads it from standard input."),
    url: str = typer.Option("", "--url", envvar="TEAHOUSE_URL", help="The server. [default: the one set up here]"),
    model: str = typer.Option("", "--model", help="<provider>/<name>. [default: the server's choice]"),
    conversation: str = typer.Option("", "--conversation", help="Go on in this conversation; its id."),
    username: str = typer.Option("", "--username", envvar="TEAHOUSE_USERNAME", help="Sign in as."),
    password: str = typer.Option("", "--password", envvar="TEAHOUSE_PASSWORD", help="Better in the environment."),
    api_key: str = typer.Option("", "--api-key", envvar="TEAHOUSE_API_KEY", help="Instead of name and password."),
) -> None:
    """Ask a question and watch the answer being written.

    A lost connection or a restarted server only delays it. Ctrl-C stops the answer and keeps what is there.
    In a pipe only the finished answer is written.

    \b
    Examples:
      teahouse ask "How long should green tea steep?" --username alice
      TEAHOUSE_API_KEY=th_… teahouse ask "And black tea?" --conversation 0198c0de-…
      git diff | teahouse ask - > review.md

    \b
    Ends with 0 answered, 1 failed or refused, 69 server unreachable (known within ten seconds), 77 not signed in,
    130 stopped by Ctrl-C.
    """
    from app.cli.api_client import Refused, SignIn, Stranger, Unreachable

    text = sys.stdin.read() if question == "-" else question
    where = url or address_of(read_settings())
    sign_in = SignIn(api_key) if api_key else SignIn("", *_credentials(username, password))
    try:
        code = asyncio.run(_ask(where, sign_in, text, model, conversation))
    except Unreachable:
        fail(
            f"Nobody answers at {where}. Start the server with `teahouse serve`, or name it with --url.",
            Exit.unreachable,
        )
    except Stranger:
        fail(f"What answers at {where} is not Teahouse. Name the server with --url.", Exit.unreachable)
    except Refused as refusal:
        fail(str(refusal), Exit.not_allowed if refusal.status in (401, 403) else Exit.failed)
    except (asyncio.CancelledError, KeyboardInterrupt):
        code = Exit.interrupted
    raise typer.Exit(code)


def _credentials(username: str, password: str) -> tuple[str, str]:
    if not (username and password) and not sys.stdin.isatty():
        fail("Give an API key in TEAHOUSE_API_KEY, or --username and TEAHOUSE_PASSWORD.", Exit.not_allowed)
    username = username or typer.prompt("Name", err=True)
    return username, password or typer.prompt("Password", hide_input=True, err=True)


async def _ask(where: str, sign_in: "SignIn", text: str, model: str, conversation: str) -> int:
    import aiohttp

    from app.cli.answer import Answer
    from app.cli.api_client import Client
    from app.cli.resolving import Resolver

    limits = aiohttp.ClientTimeout(total=60, sock_connect=5)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Resolver()), timeout=limits) as session:
        client = Client(session, where, sign_in)
        await client.sign_in()
        chosen = {"model": model} if model else {}
        if not conversation:
            conversation = (await client.post("/conversations", chosen))["id"]
        accepted = await client.post(f"/conversations/{conversation}/messages", {"content": text, **chosen})
        answer = Answer(conversation, is_live=sys.stdout.isatty())
        return await _watch(client, accepted["job"]["id"], answer)


async def _watch(client: "Client", job_id: str, answer: "Answer") -> int:
    loop, watching = asyncio.get_running_loop(), asyncio.current_task()
    cancelling: list[asyncio.Task[dict[str, Any]]] = []

    def interrupt() -> None:
        """Once: stop the answer and see it end. Twice: go away at once."""
        if cancelling and watching is not None:
            cancelling[0].cancel()
            watching.cancel()
        else:
            cancelling.append(loop.create_task(client.post(f"/jobs/{job_id}/cancel")))

    loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        with answer:
            async for event in client.follow(job_id, answer.tell_lost):
                answer.take(event)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        await asyncio.gather(*cancelling, return_exceptions=True)
    return Exit.interrupted if cancelling and answer.status == "stopped" else answer.code
