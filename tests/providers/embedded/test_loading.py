"""The child finds the wheel's libgomp, on machines that have none and on those that have one."""

import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from app.providers.embedded import loading
from app.providers.embedded.discovery import find_libgomp, find_model
from app.providers.embedded.loading import environment
from tests.providers.asking import all_events, closing, settings_for, text_of
from tests.providers.embedded.test_provider import ask, embedded, pid_of

pytestmark = pytest.mark.skipif(find_model(settings_for(embedded_model="auto")) is None, reason="extra not installed")
# By the package, not by the function under test: what breaks it must fail here, not skip.
needs_wheel = pytest.mark.skipif(find_spec("treelite") is None, reason="no wheel for this machine")


@needs_wheel
def test_the_folder_holds_a_library_under_the_name_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    folder = tmp_path / "lib"
    assert environment(folder) == {**os.environ, "LD_LIBRARY_PATH": str(folder)}
    (link,) = folder.iterdir()
    assert link.name == "libgomp.so.1"
    assert "treelite.libs" in str(link.resolve())
    assert link.read_bytes()[:4] == b"\x7fELF"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@needs_wheel
def test_what_the_operator_names_comes_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/cuda/lib:/opt/more")
    assert environment(tmp_path)["LD_LIBRARY_PATH"] == f"{tmp_path}:/opt/cuda/lib:/opt/more"


@needs_wheel
def test_a_relative_data_folder_is_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    monkeypatch.chdir(tmp_path)
    assert environment(Path("lib"))["LD_LIBRARY_PATH"] == str(tmp_path / "lib")


@needs_wheel
def test_a_link_that_leads_nowhere_is_replaced_by_many_at_once(tmp_path: Path) -> None:
    (tmp_path / "libgomp.so.1").symlink_to("/nowhere/libgomp-of-an-older-wheel.so.1.0.0")
    with ThreadPoolExecutor(8) as several:
        list(several.map(environment, [tmp_path] * 50))
    assert [path.name for path in tmp_path.iterdir()] == ["libgomp.so.1"]
    assert (tmp_path / "libgomp.so.1").exists()


def test_without_the_wheel_the_machine_has_the_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "find_libgomp", lambda: None)
    assert environment(tmp_path / "lib") == dict(os.environ)
    assert not (tmp_path / "lib").exists()


@needs_wheel
async def test_the_child_answers_by_the_wheels_libgomp_and_not_the_machines(tmp_path: Path) -> None:
    async with closing(embedded(tmp_path)) as provider:
        assert text_of(await all_events(provider, ask()))
        maps = Path(f"/proc/{pid_of(provider)}/maps").read_text()
    mapped = set(re.findall(r"/\S*libgomp\S*", maps))
    assert mapped == {str(find_libgomp())}
