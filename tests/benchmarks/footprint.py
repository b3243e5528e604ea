"""What an installation weighs, without dev tools and the embedded model."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.servers import ROOT


def run() -> dict[str, Any]:
    uv = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "venv"
        subprocess.run([uv, "venv", "-q", str(environment)], check=True)
        lock = str(ROOT / "requirements.lock")
        python = str(environment / "bin" / "python")
        subprocess.run([uv, "pip", "sync", "-q", "--require-hashes", "--python", python, lock], check=True)
        files = [path for path in environment.rglob("*") if path.is_file() and not path.is_symlink()]
        packages = list(environment.rglob("*.dist-info"))
        return {
            "installed_mib": round(sum(path.stat().st_size for path in files) / 2**20, 1),
            "installed_packages": len(packages),
        }
