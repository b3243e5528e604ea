"""A process that runs jobs until it is killed: `python -m tests.generations.runner_child DATA_DIR OLLAMA_URL`."""

import asyncio
import sys
from pathlib import Path

from app import all_models as all_models
from app.settings import Settings
from tests.process import running


async def main(data_dir: str, ollama_url: str) -> None:
    async with running(Settings(data_dir=Path(data_dir), ollama_url=ollama_url, embedded_model="off")) as process:
        print(process.engine.owner, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
