"""A process that runs jobs until it is killed: arguments are the data folder, Ollama's URL and the database's."""

import asyncio
import sys
from pathlib import Path

from app import all_models as all_models
from app.settings import Settings
from tests.process import running


async def main(data_dir: str, ollama_url: str, database_url: str) -> None:
    settings = Settings(data_dir=Path(data_dir), ollama_url=ollama_url, embedded_model="off", database_url=database_url)
    async with running(settings) as process:
        print(process.engine.owner, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
