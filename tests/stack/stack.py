"""An installation in a folder of its own, set up by the commands of deploy/README.md, on free ports of this machine."""

import contextlib
import json
import os
import queue
import shutil
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.durability.processes import ModelProcess, model_process
from tests.ports import free_port
from tests.stack.supervisor import descendants

ROOT = Path(__file__).parents[2]
SHIPPED = ("app", "deploy", "static", "templates")
NGINX = "/usr/sbin/nginx"
# Of Debian's own nginx.conf what matters here; its site files are ours.
NGINX_CONF = """
user root;
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    gzip on;
    include {folder}/*.site;
}}
"""
NGINX_SERVICE = """
[Service]
ExecStart={nginx} -c {folder}/nginx.conf -p {folder} -e {folder}/error.log -g "daemon off;"
ExecReload=/bin/kill -HUP $MAINPID
KillSignal=SIGQUIT
TimeoutStopSec=5
"""
SETTINGS = {
    "TEAHOUSE_WORKERS": "3",
    # 100 answers at once, of few people.
    "TEAHOUSE_MODEL_SLOTS": "0",
    "TEAHOUSE_MAX_RUNNING_PER_USER": "0",
    "TEAHOUSE_MAX_STREAMS_PER_USER": "0",
}


class Service:
    """One service under the stand-in for systemd."""

    def __init__(self, state: Path, *units: Path) -> None:
        state.mkdir(exist_ok=True)
        self._state = state
        command = [sys.executable, "-m", "tests.stack.supervisor", str(state), *map(str, units)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, bufsize=1)
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.main_pid = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(line.strip())

    def wait(self, wanted: str, seconds: float = 40) -> str:
        """Until it has said a line that begins so; what the lines before it say of the main process is kept."""
        deadline = time.monotonic() + seconds
        heard = []
        while (remaining := deadline - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                line = self._said.get(timeout=remaining)
                heard.append(line)
                if line.startswith(("started ", "main ")):
                    self.main_pid = int(line.split()[1])
                if line.startswith(wanted):
                    return line
        raise AssertionError(f"not {wanted!r} but {heard}: {self.journal()[-2000:]}")

    def tell(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")

    def ask(self, word: str, seconds: float = 40) -> None:
        self.tell(word)
        self.wait(word, seconds)

    def worker_pids(self) -> list[int]:
        """The main process's children that are of its own kind."""
        of_main = Path(f"/proc/{self.main_pid}/task/{self.main_pid}/children").read_text().split()
        return [int(pid) for pid in of_main]

    def pids(self) -> list[int]:
        return descendants(self._process.pid)

    def journal(self) -> str:
        file = self._state / "journal"
        return file.read_text(errors="replace") if file.exists() else ""

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(5)
        assert self._process.stdout is not None
        self._process.stdout.close()


class Stack:
    """Everything running; `url` is Nginx, `direct` the app behind it."""

    def __init__(
        self,
        folder: Path,
        model: ModelProcess,
        *,
        tls: Path | None = None,
        prepare: "Callable[[Stack], None] | None" = None,
        **settings: str,
    ) -> None:
        self.folder, self.root, self.model = folder, folder / "teahouse", model
        self.nginx_folder, self.units = folder / "nginx", folder / "units"
        self.port, app_port = free_port(), free_port()
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        self.direct = f"http://127.0.0.1:{app_port}"
        self.context = ssl.create_default_context(cafile=tls / "fullchain.pem") if tls else None
        self._install(app_port, settings)
        self._deploy(tls)
        if prepare is not None:
            prepare(self)
        self.app = Service(folder / "app-state", self.units / "teahouse.service", self.units / "teahouse.socket")
        restart = self.units / "nginx.service.d" / "restart.conf"
        self.nginx = Service(folder / "nginx-state", self.nginx_folder / "nginx.service", restart)
        try:
            self.app.wait("ready")
            self.nginx.wait("started ")
            self.wait_for("/readyz")
        except BaseException:
            self.close()
            raise

    def _install(self, app_port: int, settings: dict[str, str]) -> None:
        """A copy of what is shipped, so that a test may bring new code; the packages are those of this environment."""
        for name in SHIPPED:
            shutil.copytree(ROOT / name, self.root / name)
        dist = ROOT / "frontend-islands" / "dist"
        if dist.is_dir():
            shutil.copytree(dist, self.root / "frontend-islands" / "dist")
        (self.root / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
        values = {
            **SETTINGS,
            "TEAHOUSE_PORT": str(app_port),
            "TEAHOUSE_OLLAMA_URL": self.model.url,
            "TEAHOUSE_PUBLIC_URL": self.url if self.url.startswith("https") else "",
            **settings,
        }
        (self.root / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        self.nginx_folder.mkdir()

    def _deploy(self, tls: Path | None) -> None:
        root = ["--root", str(self.root)]
        self.teahouse("db", "upgrade")
        self.teahouse("deploy", "static", *root)
        self.teahouse("deploy", "systemd", *root, "--user", "www-data", "--output", str(self.units))
        site = ["--domain", "localhost", "--listen", f"127.0.0.1:{self.port}", "--logs", str(self.nginx_folder)]
        certificate = ["--tls", str(tls)] if tls else []
        output = str(self.nginx_folder / "teahouse.site")
        said = self.teahouse("deploy", "nginx", *root, *site, *certificate, "--output", output)
        assert "Nginx finds nothing wrong" in said, said
        conf = NGINX_CONF.format(folder=self.nginx_folder)
        (self.nginx_folder / "nginx.conf").write_text(conf)
        (self.nginx_folder / "nginx.service").write_text(NGINX_SERVICE.format(nginx=NGINX, folder=self.nginx_folder))

    def teahouse(self, *arguments: str) -> str:
        """The command of the installation's own code, in its folder."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("TEAHOUSE_")}
        command = [sys.executable, "-m", "app.cli.main", *arguments]
        environment = {**own, "PYTHONPATH": str(self.root)}
        ran = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran
        return ran.stdout

    def wait_for(self, path: str, seconds: float = 20, *, direct: bool = False) -> None:
        deadline = time.monotonic() + seconds
        while True:
            url = (self.direct if direct else self.url) + path
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5, context=self.context) as answer:
                if answer.status == 200:
                    return
            assert time.monotonic() < deadline, self.app.journal()[-2000:]
            time.sleep(0.02)

    def log_lines(self, name: str = "teahouse.log") -> list[dict[str, object]]:
        """Of all processes, with what was rotated."""
        files = sorted((self.root / "data" / "logs").glob(f"{name}*"), key=lambda path: path.stat().st_mtime)
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def close(self) -> None:
        self.nginx.close()
        self.app.close()


@contextlib.contextmanager
def stack(
    folder: Path,
    *,
    tls: Path | None = None,
    prepare: "Callable[[Stack], None] | None" = None,
    **settings: str,
) -> Iterator[Stack]:
    with model_process() as model:
        running = Stack(folder, model, tls=tls, prepare=prepare, **settings)
        try:
            yield running
        finally:
            running.close()
