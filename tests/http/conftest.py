"""The small application behind the edge, served once for all tests of the edge."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from tests.http.edge_app import Server, make_app, serve


def settings_for(folder: Path, **values: object) -> Settings:
    return Settings(_env_file=None, data_dir=folder, **values)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = settings_for(tmp_path_factory.mktemp("edge"), allowed_hosts=["tea.example"])
    with serve(make_app(settings, larger_bodies={"/upload": 3 * 1024 * 1024})) as running:
        yield running
