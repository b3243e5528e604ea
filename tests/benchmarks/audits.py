"""Lighthouse, as on a desk, over the sign-in and a conversation of both faces: `make lighthouse`.

Chromium is started here, and somebody signs in, since Lighthouse cannot; it then looks at the same browser.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from tests.benchmarks import reading
from tests.benchmarks.pages import visitor
from tests.benchmarks.servers import Server, start_teahouse
from tests.browser.chromium import ARGUMENTS, CHROMIUM
from tests.browser.servers import model_process
from tests.ports import free_port

PROGRAM = Path(__file__).parent / "lighthouse" / "node_modules" / ".bin" / "lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices")
AT_LEAST = 95
MESSAGES, CONVERSATIONS = 50, 30


def audit(url: str, port: int) -> dict[str, Any]:
    command = [str(PROGRAM), url, f"--port={port}", "--preset=desktop", "--quiet", "--output=json"]
    command += ["--disable-storage-reset", f"--only-categories={','.join(CATEGORIES)}"]
    report: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert report["finalDisplayedUrl"] == url, f"{url} led to {report['finalDisplayedUrl']}"
    return report


def lacking(report: dict[str, Any]) -> list[str]:
    """What took points away."""
    weighty = {ref["id"] for found in report["categories"].values() for ref in found["auditRefs"] if ref["weight"]}
    audits = report["audits"]
    return sorted(name for name in weighty if audits[name]["score"] is not None and audits[name]["score"] < 0.9)


async def look(server: Server, folder: Path) -> bool:
    alice = await visitor(server)
    conversation = reading.fill(folder / "teahouse.db", MESSAGES, CONVERSATIONS)
    cookies = [{"name": n, "value": v, "url": server.url} for n, v in alice.client.cookies.items()]
    await alice.client.aclose()
    port, is_good = free_port(), True
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            str(folder / "browser"), executable_path=CHROMIUM, args=[*ARGUMENTS, f"--remote-debugging-port={port}"]
        )
        for path in ("/login", "/app/login", f"/c/{conversation}", f"/app/c/{conversation}"):
            if conversation in path:
                await context.add_cookies(cookies)  # type: ignore[arg-type]
            report = await asyncio.to_thread(audit, server.url + path, port)
            scores = [round(100 * report["categories"][name]["score"]) for name in CATEGORIES]
            is_good &= min(scores) >= AT_LEAST
            told = [f"{name} {score}" for name, score in zip(CATEGORIES, scores, strict=True)]
            print(f"{path.replace(conversation, '…'):<12}", ", ".join(told), *lacking(report))
        await context.close()
    return is_good


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="teahouse-lighthouse-") as name, model_process() as model_url:
        folder = Path(name)
        server = start_teahouse(folder, model_url, free_port())
        try:
            is_good = asyncio.run(look(server, folder))
        finally:
            server.stop()
    if not is_good:
        sys.exit(f"Less than {AT_LEAST}.")


if __name__ == "__main__":
    main()
