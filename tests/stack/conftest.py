"""One site for all: Nginx, Gunicorn with three workers, a stand-in for systemd."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.certificate import make_certificate
from tests.stack.stack import NGINX, Stack, stack
from tests.stack.visitor import sign_up


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    assert Path(NGINX).exists(), "run `make setup` first"
    folder = tmp_path_factory.mktemp("site")
    for path in (folder, folder.parent, folder.parent.parent):
        path.chmod(0o755)  # Nginx's workers are somebody else
    with stack(folder) as running:
        yield running


@pytest.fixture(scope="session")
def secure_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Another one, by TLS; on its own, since a test brings new code to it."""
    folder = tmp_path_factory.mktemp("secure")
    folder.chmod(0o755)
    with stack(folder, tls=make_certificate(folder / "tls")) as running:
        yield running


@pytest.fixture(scope="session")
def tokens(site: Stack) -> list[str]:
    """Of three people: more could not sign up in a row."""
    return [sign_up(site.url, name) for name in ("alice", "bob", "charlie")]
