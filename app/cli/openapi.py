"""`teahouse openapi`: the API's description as a file, for generated clients."""

from pathlib import Path

import typer

from app.cli.terminal import fail, read_settings, say

FILE = Path(__file__).parents[2] / "frontend-islands" / "openapi.json"


def openapi(
    check: bool = typer.Option(False, "--check", help="Write nothing; fail if the file is not current."),
    to: Path = typer.Option(FILE, "--to", help="The file.", show_default="frontend-islands/openapi.json"),
) -> None:
    """Write the API's description to frontend-islands/openapi.json.

    \b
    Examples:
      teahouse openapi
      teahouse openapi --check
      teahouse openapi --to /dev/stdout
    """
    from app.api.openapi import openapi_json
    from app.main import create_app

    document = openapi_json(create_app(read_settings()))
    if check:
        if not to.exists() or to.read_bytes() != document:
            fail(f"{to} is not what the program says. Run `teahouse openapi`.")
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(document)
    if to.is_file():
        say(f"{to}: {len(document):,} bytes")
