"""What `teahouse doctor` looks at: each examination says what it found, and what to do about what is wrong."""

import os
import platform
import re
import shutil
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from app.cli.db import TRUSTS_EVERYBODY, owner_of, unusable_files
from app.cli.examining_data import database, queue, redis, secret
from app.cli.findings import Finding, Level
from app.cli.ports import holder_of
from app.settings import Settings

ROOT = Path(__file__).parents[2]
LITTLE, NEARLY_NONE = 200_000_000, 50_000_000  # bytes; below them uploads, then messages are refused
FRONT_TIMEOUT = aiohttp.ClientTimeout(total=6, connect=2)
# Without these instructions the built-in model's library dies at once.
CPU_NEEDS = frozenset({"avx2", "fma", "f16c", "bmi2"})


def folders(settings: Settings) -> Iterator[Finding]:
    """Whether everything can be written, and whether anybody else can read what is secret."""
    for folder in (settings.data_dir, settings.logs):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            fix = f"chown it to whom the server runs as: chown -R teahouse {folder.absolute()}"
            yield Finding("not_writable", "error", f"{folder.absolute()} cannot be written.", fix)
    for path in unusable_files(settings):
        fix = f"chown it to whom the server runs as: chown teahouse {path.absolute()}"
        yield Finding("not_writable", "error", f"{path.absolute()} is {owner_of(path)}'s and cannot be written.", fix)
    for path in (settings.data_dir / "secret.key", settings.database_path, Path(".env")):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077 and not _is_hidden(path):
            yield Finding("readable_secret", "error", f"{path} can be read by others.", f"chmod 600 {path}")
    yield Finding("folders", "ok", f"data in {settings.data_dir.absolute()}")


def _is_hidden(path: Path) -> bool:
    """A folder that others cannot enter hides what is in it, whatever its own mode."""
    return any(not stat.S_IMODE(parent.stat().st_mode) & 0o011 for parent in path.absolute().parents)


def disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir if settings.data_dir.exists() else Path()
    free = shutil.disk_usage(folder).free
    level: Level = "error" if free < NEARLY_NONE else "warning" if free < LITTLE else "ok"
    fix = "Make room: old backups and logs first." if level != "ok" else ""
    told = f"{free / 1e9:.1f} GB" if free >= 10**9 else f"{free / 1e6:.0f} MB"
    yield Finding("disk", level, f"{told} free", fix)


def code(settings: Settings) -> Iterator[Finding]:
    """'My change has no effect': what runs, or is served, is older than what is there."""
    changed = max(_newest(ROOT / name) for name in ("app", "templates", "static"))
    for lock in settings.run_dir.glob("process-*.lock"):
        started = _started_at(int(lock.name.split("-")[1]))
        if started is not None and started < changed - 1:
            text = f"Process {lock.name.split('-')[1]} runs older code than there is in {ROOT}."
            yield Finding("stale_code", "warning", text, "systemctl reload teahouse, or restart it")
            break
    dist, sources = ROOT / "frontend-islands" / "dist" / "index.html", ROOT / "frontend-islands" / "src"
    if dist.exists() and _newest(sources) > dist.stat().st_mtime + 1:
        yield Finding("stale_build", "warning", "The application at /app/ is older than its sources.", "make build")
    published = ROOT / "public" / "app" / "index.html"
    if published.exists() and dist.exists() and published.read_bytes() != dist.read_bytes():
        text = "Nginx serves another build of /app/ than there is."
        yield Finding("stale_public", "warning", text, "teahouse deploy static")


def _newest(folder: Path) -> float:
    """When the youngest file below was changed, in seconds since 1970; 0 without any."""
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return max((path.stat().st_mtime for path in files), default=0.0)


def _started_at(pid: int) -> float | None:
    """Seconds since 1970; None where the process is gone, or on systems without /proc."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")


def public_files(settings: Settings) -> Iterator[Finding]:
    """403: each folder on the way must be open to Nginx, and each file readable."""
    public = ROOT / "public"
    if not public.is_dir():
        return
    for folder in (public, *public.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            yield Finding("closed_folder", "error", f"Nginx cannot enter {folder}.", f"chmod o+x {folder}")
            return
    closed = [path for path in public.rglob("*") if not path.stat().st_mode & stat.S_IROTH]
    if closed:
        text = f"Nginx cannot read {closed[0]}" + (f" and {len(closed) - 1} more." if len(closed) > 1 else ".")
        yield Finding("closed_file", "error", text, "teahouse deploy static, or chmod -R o+rX public")
    else:
        yield Finding("public_files", "ok", f"{public} can be served by Nginx")


async def embedded(settings: Settings) -> AsyncIterator[Finding]:
    from app.providers.embedded.provider import VERDICT_SECONDS, from_settings
    from app.providers.errors import ProviderError
    from app.providers.registry import configured_kinds

    if "embedded" not in configured_kinds(settings):
        return
    fix = "TEAHOUSE_EMBEDDED_MODEL=off, and connect a model server"
    if lacking := _lacking_instructions():
        text = f"This processor lacks {', '.join(sorted(lacking))}: the built-in model cannot run."
        yield Finding("cpu", "error", text, fix)
        return
    provider = from_settings(settings)
    try:
        await provider.ensure_usable(VERDICT_SECONDS)
    except ProviderError as error:
        yield Finding("embedded", "error", error.message, f"Repair it, or {fix}")
    else:
        yield Finding("embedded", "ok", "the built-in model can run here")
    finally:
        await provider.aclose()


def _lacking_instructions() -> set[str]:
    information = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not information.exists():
        return set()
    line = next((row for row in information.read_text().splitlines() if row.startswith("flags")), "")
    return set(CPU_NEEDS - set(line.split()))


async def server(settings: Settings) -> AsyncIterator[Finding]:
    """The app by itself: is it there, is it ours, is it ready?"""
    url = f"http://{'127.0.0.1' if settings.listens_everywhere else settings.host}:{settings.port}"
    async with aiohttp.ClientSession(timeout=FRONT_TIMEOUT) as http:
        try:
            async with http.get(f"{url}/readyz") as answer:
                text = await answer.text()
        except aiohttp.ClientConnectionError:
            yield Finding("not_running", "warning", f"Nothing answers at {url}.", "systemctl start teahouse")
            return
        except (aiohttp.ClientError, TimeoutError) as error:
            holder = holder_of(settings.port) or "an unknown process"
            text = f"{url} does not answer: {error!r}. The port belongs to {holder}."
            fix = "systemctl restart teahouse; end a process that it leaves over: kill -9"
            yield Finding("no_answer", "error", text, fix)
            return
    if answer.status == 200 and "ready" in text:
        yield Finding("server", "ok", f"ready at {url}")
    elif "x-request-id" not in answer.headers:
        text = f"Another program answers at {url}: {holder_of(settings.port) or 'it is not known which'}."
        yield Finding("port_taken", "error", text, "Choose another TEAHOUSE_PORT.")
    else:
        yield Finding("not_ready", "error", f"{url} is up but not ready: {text[:200]}", "See data/logs/error.log")


async def front(settings: Settings) -> AsyncIterator[Finding]:
    """What people see: the app through the proxy, and whether the proxy holds streams back."""
    if not settings.public_url:
        return
    url = settings.public_url
    async with aiohttp.ClientSession(timeout=FRONT_TIMEOUT) as http:
        try:
            async with http.get(f"{url}/healthz", allow_redirects=False) as answer:
                status = answer.status
        except aiohttp.ClientConnectorDNSError:
            text = f"{urlsplit(url).hostname} is no name that this machine can look up."
            yield Finding("front_name", "error", text, "Is TEAHOUSE_PUBLIC_URL right? Does its domain point here?")
            return
        except (aiohttp.ClientError, TimeoutError) as error:
            text = f"{url}: {str(error) or 'no answer'}"
            yield Finding("front_down", "error", text, "Is Nginx up? nginx -t, systemctl status nginx")
            return
        if status in (502, 504):
            text = f"{url} answers {status}: the proxy is up and the app behind it is not."
            fix = "systemctl status teahouse; does the proxy name the right port?"
            yield Finding("bad_gateway", "error", text, fix)
        elif status != 200:
            fix = "Is this address in TEAHOUSE_PUBLIC_URL or TEAHOUSE_ALLOWED_HOSTS?" if status == 400 else ""
            yield Finding("front", "error", f"{url}/healthz answers {status}.", fix)
        else:
            try:
                async for finding in _streaming(http, url):
                    yield finding
                async for finding in _forms(http, settings):
                    yield finding
            except (aiohttp.ClientError, TimeoutError) as error:
                yield Finding("front", "error", f"{url} breaks off: {error!r}", "Does the proxy have a short time-out?")
    if "*" in settings.trusted_proxies:
        yield Finding("trusted_proxies", "warning", TRUSTS_EVERYBODY, "Name the proxy's address, network or host.")


async def _forms(http: aiohttp.ClientSession, settings: Settings) -> AsyncIterator[Finding]:
    """Whether a form that a browser sends from there is taken for our own; an empty one changes nothing."""
    url = settings.public_url
    async with http.get(f"{url}/login") as page:
        found = re.search(r'name="csrf_token" value="([^"]+)"', await page.text())
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in page.cookies.items())
    if found is None:
        yield Finding("front", "error", f"{url}/login is no page of Teahouse.", "Does the proxy name the right port?")
        return
    headers = {"Origin": settings.public_origin, "Cookie": cookies}
    data = {"csrf_token": found[1], "username": "", "password": ""}
    async with http.post(f"{url}/login", data=data, headers=headers, allow_redirects=False) as answer:
        if answer.status == 403:
            text = f"{url} refuses its own forms: nobody can sign in or register."
            yield Finding("forms", "error", text, "The log says which header is wrong, and what to set.")
        else:
            yield Finding("forms", "ok", f"forms that come from {settings.public_origin} are taken")


async def _streaming(http: aiohttp.ClientSession, url: str) -> AsyncIterator[Finding]:
    began, arrived = time.monotonic(), list[float]()
    async with http.get(f"{url}/healthz/stream") as answer:
        async for _ in answer.content.iter_any():
            arrived.append(time.monotonic() - began)
    if answer.status != 200:
        yield Finding("front", "warning", f"{url}/healthz/stream answers {answer.status}.", "Is the app up to date?")
    elif len(arrived) < 2 or arrived[-1] - arrived[0] < 0.2:
        text = f"{url} holds streams back: answers will arrive all at once."
        yield Finding("buffering", "error", text, "proxy_buffering off; no gzip of streams. See deploy/nginx.")
    else:
        yield Finding("front", "ok", f"{url} passes streams on at once")


async def models(settings: Settings) -> AsyncIterator[Finding]:
    from app.providers.catalog import Providers

    providers = Providers(settings)
    try:
        listed = await providers.models()
    finally:
        await providers.aclose()
    answering = {model.provider for model in listed.items}
    for problem in listed.problems:
        text = f"{problem.provider}: {problem.message}"
        if problem.provider == "embedded":
            continue  # examined by itself
        if problem.provider in answering:
            yield Finding("provider", "warning", text, "Update it, or give its address as it says.")
        else:
            yield Finding("provider", "error", text, "Is it running? Is its address right?")
    names = [model.id for model in listed.items]
    if not names and not listed.problems:
        fix = "Set TEAHOUSE_OLLAMA_URL or TEAHOUSE_OPENAI_BASE_URL."
        yield Finding("no_model", "error", "No model was found.", fix)
    elif settings.default_model and settings.default_model not in names:
        text = f"TEAHOUSE_DEFAULT_MODEL: {settings.default_model} is not among the {len(names)} models."
        yield Finding("default_model", "warning", text, f"One of: {', '.join(names[:5])}")
    elif names:
        yield Finding("models", "ok", f"{len(names)} models, {names[0]} first")


QUICK: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    folders,
    disk,
    database,
    secret,
    queue,
    code,
    public_files,
)
ASKING: tuple[Callable[[Settings], AsyncIterator[Finding]], ...] = (server, front, redis, embedded, models)
