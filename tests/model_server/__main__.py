"""`python -m tests.model_server --port N`: the scripted server as a process of its own."""

import argparse
import asyncio
import json
import signal
from contextlib import suppress

from tests.model_server.script import Script
from tests.model_server.server import ModelServer


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--tokens", type=int, default=20, help="tokens of an answer that does not say")
    parser.add_argument("--tokens-per-second", type=float, default=0.0, help="0: as fast as it goes")
    parser.add_argument("--first-token-ms", type=float, default=0.0)
    parser.add_argument("--flavour", choices=["openai", "llama.cpp"], default="openai")
    parser.add_argument("--api-key", default="")
    parser.add_argument("--models", default="scripted:latest,thinker:latest", help="comma separated")
    parser.add_argument("--pull-delay", type=float, default=0.02, help="seconds between the lines of a download")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    default = Script(arguments.tokens, arguments.tokens_per_second, arguments.first_token_ms)
    server = ModelServer(
        port=arguments.port,
        default=default,
        flavour=arguments.flavour,
        api_key=arguments.api_key,
        models=tuple(arguments.models.split(",")),
        pull_delay=arguments.pull_delay,
    )
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with server:
        print(json.dumps({"url": server.url, "openai_url": server.openai_url, "port": server.port}), flush=True)
        await stopped.wait()


def main() -> None:
    factory = None
    with suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve(_arguments()))


if __name__ == "__main__":
    main()
