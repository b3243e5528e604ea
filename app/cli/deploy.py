"""`teahouse deploy`: what the programs around the server need, filled in for this machine."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import typer

from app.cli.terminal import fail, read_settings, say

app = typer.Typer(no_args_is_help=True, help="Write what Nginx and systemd need, filled in for this machine.")

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "deploy"
_FRONT = re.compile(r"[0-9A-Fa-f.:]+(/\d{1,3})?|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
# A name of systemd's and of the file system's; nothing that could end a line or begin a directive.
_PATH = re.compile(r"/[\w./+@-]*")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


def _root_option() -> Any:
    return typer.Option(ROOT, "--root", help="Where Teahouse is installed.", show_default="this installation")


@app.command()
def static(root: Path = _root_option()) -> None:
    """Write the files that Nginx serves by itself to <root>/public, compressed too.

    \b
    At each deploy, before the server is reloaded; files of earlier versions stay for 30 days:
      teahouse deploy static
    """
    from app.cli.publishing import publish

    try:
        number = publish(root / "public")
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
    say(f"{root / 'public'}: {number} files")


@app.command()
def nginx(
    domain: str = typer.Option(..., "--domain", help="The name people type."),
    root: Path = _root_option(),
    tls: Path | None = typer.Option(None, "--tls", help="Folder of fullchain.pem and privkey.pem; turns on HTTP/2."),
    output: Path | None = typer.Option(None, "--output", help="The file; without it, the terminal."),
    listen: list[str] = typer.Option([], "--listen", help="[ADDRESS:]PORT instead of 80, or 443 with --tls."),
    behind: list[str] = typer.Option(
        [],
        "--behind",
        help="Address, network or name of a proxy before this one that keeps TLS.",
    ),
    logs: Path = typer.Option(Path("/var/log/nginx"), "--logs", help="Folder of Nginx's log files."),
) -> None:
    """Write the site for Nginx, filled in, and have Nginx check it.

    \b
    Examples:
      teahouse deploy nginx --domain tea.example.org --output /etc/nginx/conf.d/teahouse.conf
      teahouse deploy nginx --domain tea.example.org --tls /etc/letsencrypt/live/tea.example.org
      teahouse deploy nginx --domain tea.example.org --behind 172.16.0.0/12
    """
    from app.cli.publishing import REFUSALS
    from app.http.errors import TITLES
    from app.http.request_body import MAX_BODY
    from app.http.security_headers import CONTENT_SECURITY_POLICY, DIAGRAM_POLICY, HEADERS, HSTS

    if not _DOMAIN.fullmatch(domain):
        fail(f"--domain: {domain} is no name of a host.")
    for front in behind:
        if not _FRONT.fullmatch(front):
            fail(f"--behind: {front} is no address, network or name of a host.")
    for path in (root, logs, *([tls] if tls else [])):
        _check_path(path)
    settings = read_settings()
    headers = HEADERS | ({"strict-transport-security": HSTS} if tls else {})
    del headers["cache-control"]  # differs from file to file
    text = _filled(
        "nginx/teahouse.conf",
        domain=domain,
        public=root / "public",
        upstream=settings.address,
        tls=tls,
        listen=listen or (["443", "[::]:443"] if tls else ["80", "[::]:80"]),
        redirect=[] if listen else ["80", "[::]:80"],
        behind=behind,
        logs=logs,
        headers=[(name.title(), name.replace("-", "_"), value) for name, value in headers.items()],
        policy=CONTENT_SECURITY_POLICY,
        diagram_policy=DIAGRAM_POLICY,
        body_bytes=MAX_BODY,
        refusals=REFUSALS,
        titles=TITLES,
    )
    _write(text, output)
    if output is not None:
        _have_nginx_check(output)


@app.command()
def systemd(
    user: str = typer.Option("teahouse", "--user", help="Whom the server runs as."),
    root: Path = _root_option(),
    output: Path = typer.Option(..., "--output", help="A folder: /etc/systemd/system."),
) -> None:
    """Write the units for systemd, filled in: socket, server, nightly backup, and Nginx's own restart.

    \b
    Example:
      teahouse deploy systemd --user teahouse --output /etc/systemd/system
    """
    if not _USER.fullmatch(user):
        fail(f"--user: {user} is no name of a user.")
    _check_path(root)
    settings = read_settings()
    writable = sorted({root / settings.data_dir, root / settings.logs})
    writable = [path for path in writable if not any(path.is_relative_to(other) for other in writable if other != path)]
    values = {"user": user, "root": root, "address": settings.address, "writable": writable}
    folder = TEMPLATES / "systemd"
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder)
        to = output / name
        to.parent.mkdir(parents=True, exist_ok=True)
        _write(_filled(f"systemd/{name}", **values), to)


def _have_nginx_check(site: Path) -> None:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")
    if program is None:
        say("There is no Nginx here that could check it.")
        return
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "nginx.conf"
        types = next((p for p in (Path("/etc/nginx/mime.types"),) if p.is_file()), None)
        included = f"include {types};" if types else ""
        # Its own file, so that nothing else of this machine's Nginx is judged, and none of its files touched.
        whole.write_text(f"pid {folder}/pid; events {{}} http {{ {included} include {site.absolute()}; }}\n")
        command = [program, "-t", "-q", "-e", "stderr", "-p", folder, "-c", str(whole)]
        checked = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 - its own path
    if checked.returncode == 0:
        say("Nginx finds nothing wrong with it.")
    elif "Permission denied" in checked.stderr:
        say(f"Nginx could not check it without more rights. `sudo nginx -t` does.\n{checked.stderr.strip()}")
    else:
        fail(f"Nginx does not take it:\n{checked.stderr.strip()}")


def _check_path(path: Path) -> None:
    if not _PATH.fullmatch(str(path)):
        fail(f"{path}: give a whole path, of letters, digits and . _ + @ - only.")


def _filled(template: str, **values: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - nothing of this is HTML
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(values)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text)
    except OSError as error:
        fail(f"{output}: {error.strerror}")
    say(f"{output} is written.")
