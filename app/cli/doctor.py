"""`teahouse doctor`: look at everything that goes wrong in practice, and say what to do."""

import asyncio
from typing import TYPE_CHECKING

import orjson
import typer

from app.cli.terminal import Exit, read_settings, say, working
from app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.cli.findings import Finding

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "red")}


def doctor(as_json: bool = typer.Option(False, "--json", help="For programs: a list of findings.")) -> None:
    """Check settings, files, database, queue, server, proxy and models. Changes nothing.

    \b
    Ends with 0 if all is well or only warnings were found, with 1 if something is broken:
      teahouse doctor
      teahouse doctor --json | jq '.[] | select(.level == "error")'
    """
    settings = read_settings()
    with working("Looking around"):
        findings = asyncio.run(examine(settings))
    if as_json:
        say(orjson.dumps([finding.as_json() for finding in findings], option=orjson.OPT_INDENT_2).decode())
    else:
        for finding in findings:
            tell(finding)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(Exit.failed)


async def examine(settings: Settings) -> "list[Finding]":
    """Everything, what waits for the network side by side."""
    from app.cli.examinations import ASKING, QUICK

    asking = [asyncio.create_task(_all(look(settings))) for look in ASKING]
    quick = await asyncio.to_thread(lambda: [finding for look in QUICK for finding in look(settings)])
    return quick + [finding for found in await asyncio.gather(*asking) for finding in found]


async def _all(findings: "AsyncIterator[Finding]") -> "list[Finding]":
    return [finding async for finding in findings]


def tell(finding: "Finding") -> None:
    mark, colour = MARKS[finding.level]
    typer.secho(f"{mark} {finding.code:<18} {finding.text}", fg=colour if finding.level != "ok" else None)
    if finding.fix:
        say(f"  {'':<18} → {finding.fix}")
