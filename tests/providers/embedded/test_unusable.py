"""A model that cannot run here: not offered, said at once and in plain words, and offered again once it is repaired."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from app.clock import monotonic
from app.i18n import locale, translated
from app.providers import catalog, registry
from app.providers.catalog import Providers
from app.providers.embedded import checking
from app.providers.embedded import provider as provider_module
from app.providers.embedded.discovery import find_model
from app.providers.embedded.provider import EmbeddedProvider
from app.providers.errors import ProviderUnusable
from tests.model_server import ModelServer
from tests.ports import free_port
from tests.providers.asking import all_events, closing, heard, settings_for, text_of
from tests.providers.embedded.runtimes import KILLED_BY_SIGILL, LIBGOMP, LIBGOMP_TOLD, child_with, refusing, repair
from tests.providers.embedded.test_provider import MODEL, ask, embedded

pytestmark = pytest.mark.skipif(find_model(settings_for(embedded_model="auto")) is None, reason="extra not installed")

AT_ONCE = 3.0  # seconds: two Pythons are started, on a machine that does other things too

KINDS = [
    (refusing(LIBGOMP), LIBGOMP_TOLD),
    (
        refusing("libstdc++.so.6: cannot open shared object file: No such file or directory"),
        "The built-in model needs libstdc++.so.6, which this machine lacks. "
        "On Debian and Ubuntu: apt install libstdc++6",
    ),
    (
        refusing("libcudart.so.12: cannot open shared object file: No such file or directory"),
        "The built-in model needs libcudart.so.12, which this machine lacks.",
    ),
    (
        refusing("/lib/libc.so.6: version `GLIBC_2.99' not found (required by xllamacpp.abi3.so)"),
        "The built-in model cannot be loaded: "
        "/lib/libc.so.6: version `GLIBC_2.99' not found (required by xllamacpp.abi3.so)",
    ),
    ("import no_such_module", "The built-in model cannot be loaded: No module named 'no_such_module'"),
    (KILLED_BY_SIGILL, "The built-in model cannot run: this computer's processor is not supported."),
]


@pytest.fixture(autouse=True)
def _verdict_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is."""
    monkeypatch.setattr(provider_module, "LIST_SECONDS", 15.0)
    monkeypatch.setattr(catalog, "DEADLINE", 15.0)


@pytest.mark.parametrize(("source", "told"), KINDS)
async def test_F38_what_cannot_be_loaded_is_said_at_once(source: str, told: str, tmp_path: Path) -> None:
    async with closing(embedded(tmp_path, child_with(tmp_path / "fake", source))) as provider:
        with pytest.raises(ProviderUnusable) as caught:
            await provider.list_models()
        assert caught.value.message == told
        began = monotonic()
        for _ in range(2):  # it is no loop of crashes: the second hears the reason as the first did
            error = (await heard(provider, ask())).error
            assert isinstance(error, ProviderUnusable)
            assert (error.message, error.permanent, error.retry_after) == (told, True, None)
        assert monotonic() - began < AT_ONCE
    assert not list((tmp_path / "run" / "embedded").glob("*.sock"))


async def test_F38_the_loaders_own_line_is_enough(tmp_path: Path) -> None:
    script = f"import sys; print('ImportError: {LIBGOMP}', file=sys.stderr); sys.exit(1)"
    async with closing(embedded(tmp_path, [sys.executable, "-I", "-c", script])) as provider:
        with pytest.raises(ProviderUnusable, match="apt install libgomp1"):
            await provider.list_models()
        error = (await heard(provider, ask())).error
        assert isinstance(error, ProviderUnusable)
        assert error.message == LIBGOMP_TOLD


async def test_F38_once_repaired_it_answers_without_a_restart(tmp_path: Path) -> None:
    async with closing(embedded(tmp_path, child_with(tmp_path / "fake", refusing(LIBGOMP)))) as provider:
        with pytest.raises(ProviderUnusable):
            await provider.list_models()
        assert isinstance((await heard(provider, ask())).error, ProviderUnusable)
        repair(tmp_path / "fake")
        assert text_of(await all_events(provider, ask()))
        assert [model.name for model in await provider.list_models()] == [MODEL]


async def test_what_breaks_later_is_noticed_by_the_first_answer(tmp_path: Path) -> None:
    command = child_with(tmp_path / "fake", "Server = object")
    async with closing(embedded(tmp_path, command)) as provider:
        assert await provider.list_models()
        child_with(tmp_path / "fake", refusing(LIBGOMP))
        assert await provider.list_models(), "a good verdict is remembered"
        assert isinstance((await heard(provider, ask())).error, ProviderUnusable)
        with pytest.raises(ProviderUnusable):
            await provider.list_models()


async def test_who_loads_slowly_is_listed_meanwhile_and_found_out_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "LIST_SECONDS", 0.05)
    slow = "import time; time.sleep(0.5)\n" + refusing(LIBGOMP)
    async with closing(embedded(tmp_path, child_with(tmp_path / "fake", slow))) as provider:
        assert await provider.list_models()
        async with asyncio.timeout(10):
            with suppress(ProviderUnusable):
                while await provider.list_models():
                    pass


async def test_a_check_that_hangs_is_ended_and_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_CHECK_SECONDS", 0.2)
    hanging = child_with(tmp_path / "fake", "import time; time.sleep(60)")
    async with closing(embedded(tmp_path, hanging)) as provider:
        async with asyncio.timeout(10):
            assert await provider.list_models()


async def test_looking_leaves_nothing_in_the_data_folder(tmp_path: Path) -> None:
    async with closing(embedded(tmp_path / "data")) as provider:
        assert await provider.list_models()
    assert not (tmp_path / "data").exists()


def break_it(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """And leave nothing else: no Ollama of this machine's."""
    monkeypatch.setattr(registry, "DEFAULT_OLLAMA_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr(provider_module, "CHILD", child_with(folder / "fake", refusing(LIBGOMP)))


async def test_F38_the_only_model_that_cannot_run_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_it(monkeypatch, tmp_path)
    monkeypatch.setattr(catalog, "FRESH_SECONDS", 0.0)
    settings = settings_for(embedded_model="auto", data_dir=tmp_path)
    async with closing(Providers(settings)) as providers:
        listed = await providers.models()
        assert (listed.items, [(p.provider, str(p.message)) for p in listed.problems]) == (
            [],
            [("embedded", LIBGOMP_TOLD)],
        )
        token = locale.set("zh-CN")
        try:
            assert "apt install libgomp1" in translated(str(listed.problems[0].message)) != LIBGOMP_TOLD
        finally:
            locale.reset(token)
        repair(tmp_path / "fake")
        listed = await providers.models(fresh=True)
        async with asyncio.timeout(10):
            while listed.problems:  # an old list is served while a new one is made
                listed = await providers.models()
                await asyncio.sleep(0.02)
        assert [model.id for model in listed.items] == [f"embedded/{MODEL}"]


@pytest.mark.parametrize(("asked_for", "problems"), [(False, []), (True, ["embedded"])])
async def test_beside_others_it_is_a_problem_where_somebody_asked_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked_for: bool, problems: list[str]
) -> None:
    break_it(monkeypatch, tmp_path)
    (tmp_path / "own.gguf").touch()
    model = str(tmp_path / "own.gguf") if asked_for else "auto"
    async with ModelServer() as server:
        settings = settings_for(embedded_model=model, data_dir=tmp_path, ollama_url=server.url)
        async with closing(Providers(settings)) as providers:
            listed = await providers.models()
            assert [one.provider for one in listed.items] == ["ollama", "ollama"]
            assert [one.provider for one in listed.problems] == problems


async def test_a_file_that_is_missing_fails_at_once(tmp_path: Path) -> None:
    settings: Any = settings_for(embedded_model=str(tmp_path / "no.gguf"), data_dir=tmp_path)
    async with closing(EmbeddedProvider(settings, find_model(settings))) as provider:
        assert isinstance((await heard(provider, ask())).error, ProviderUnusable)
