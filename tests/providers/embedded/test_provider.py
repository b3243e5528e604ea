"""The built-in model, for real: llama.cpp with the packaged weights."""

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.clock import monotonic
from app.providers.base import ModelInfo
from app.providers.catalog import Providers
from app.providers.embedded import supervisor as supervisor_module
from app.providers.embedded.discovery import EmbeddedModel, find_model
from app.providers.embedded.provider import EmbeddedProvider
from app.providers.errors import ContextOverflow, ProviderCut, ProviderUnavailable
from tests.providers import conformance
from tests.providers.asking import all_events, closing, end_of, heard, question, settings_for, text_of

MODEL = "smollm2:135m"

pytestmark = pytest.mark.skipif(find_model(settings_for(embedded_model="auto")) is None, reason="extra not installed")


def embedded(data_dir: Path, command: list[str] | None = None, **settings: Any) -> EmbeddedProvider:
    chosen = settings_for(embedded_model="auto", data_dir=data_dir, first_token_timeout=30.0, **settings)
    return EmbeddedProvider(chosen, find_model(chosen), command or ())


def ask(prompt: str = "Name three teas.", prefix: str | None = None, **options: Any) -> Any:
    return question(prompt, prefix, model=MODEL, **{"max_tokens": 8, "temperature": 0.0, "seed": 1, **options})


def supervisor_of(provider: EmbeddedProvider) -> supervisor_module.Supervisor:
    assert provider._supervisor is not None
    return provider._supervisor


def pid_of(provider: EmbeddedProvider) -> int:
    pid = supervisor_of(provider).pid
    assert pid is not None
    return pid


def exists(pid: int) -> bool:
    """Also true for a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[EmbeddedProvider]:
    async with closing(embedded(tmp_path)) as provider:
        yield provider


async def test_it_does_all_that_a_provider_must(provider: EmbeddedProvider) -> None:
    for behaviour in conformance.ALL:
        await behaviour(provider, MODEL)


async def test_listing_starts_no_child(provider: EmbeddedProvider) -> None:
    expected = ModelInfo("embedded", MODEL, 4096, ("chat", "demo"), loaded=False)
    assert await provider.list_models() == [expected]
    assert supervisor_of(provider).pid is None
    await all_events(provider, ask())
    (model,) = await provider.list_models()
    assert model.loaded is True


async def test_a_small_model_is_held_short(tmp_path: Path) -> None:
    from app.providers.base import ChatOptions
    from app.providers.embedded.provider import _demo_options

    assert _demo_options(ChatOptions(max_tokens=9000)).max_tokens == 512
    assert _demo_options(ChatOptions()) == ChatOptions(0.3, 0.9, max_tokens=512, repeat_penalty=1.1)
    assert _demo_options(ChatOptions(temperature=0.0)).temperature == 0.0


async def test_too_long_a_prompt_is_an_overflow(provider: EmbeddedProvider) -> None:
    assert isinstance((await heard(provider, ask("tea " * 6000))).error, ContextOverflow)


async def test_F38_after_kill_9_the_next_answer_comes_from_a_new_child(provider: EmbeddedProvider) -> None:
    await all_events(provider, ask())
    first = pid_of(provider)
    os.kill(first, signal.SIGKILL)
    assert text_of(await all_events(provider, ask()))
    assert pid_of(provider) != first
    assert not exists(first)


async def test_F38_kill_9_in_the_middle_is_a_cut(provider: EmbeddedProvider) -> None:
    stream = provider.chat(ask("Tell me a long story.", max_tokens=400, temperature=0.8))
    await anext(stream)
    os.kill(pid_of(provider), signal.SIGKILL)
    with pytest.raises(ProviderCut) as caught:
        async for _ in stream:
            pass
    assert caught.value.began
    assert text_of(await all_events(provider, ask()))


async def test_F38_a_stopped_child_is_ended_and_replaced(tmp_path: Path) -> None:
    async with closing(embedded(tmp_path, idle_timeout=0.5)) as provider:
        stream = provider.chat(ask("Tell me a long story.", max_tokens=400, temperature=0.8))
        await anext(stream)
        first = pid_of(provider)
        os.kill(first, signal.SIGSTOP)
        with pytest.raises(ProviderCut):
            async for _ in stream:
                pass
        assert not exists(first)
        assert text_of(await all_events(provider, ask()))


async def test_closing_an_answer_frees_its_slot_within_a_second(provider: EmbeddedProvider) -> None:
    for _ in range(2):
        stream = provider.chat(ask("Tell me a long story.", max_tokens=500, temperature=0.8))
        await anext(stream)
        await stream.aclose()
    async with asyncio.timeout(5):  # both slots would be busy for longer
        end_of(await all_events(provider, ask(max_tokens=1)))


async def test_F38_two_processes_share_one_child(tmp_path: Path) -> None:
    async with closing(embedded(tmp_path)) as one, closing(embedded(tmp_path)) as two:
        answers = await asyncio.gather(all_events(one, ask()), all_events(two, ask()))
        assert all(text_of(answer) for answer in answers)
        assert [supervisor_of(one).pid is None, supervisor_of(two).pid is None].count(True) == 1
        owner, guest = (one, two) if supervisor_of(one).pid else (two, one)
        (model,) = await guest.list_models()
        assert model.loaded is True
        os.kill(pid_of(owner), signal.SIGKILL)
        assert text_of(await all_events(guest, ask()))  # whoever comes first starts the next
        assert text_of(await all_events(owner, ask()))
        assert [supervisor_of(one).pid is None, supervisor_of(two).pid is None].count(True) == 1


async def test_F38_the_child_of_a_killed_process_ends_and_another_takes_over(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path\n"
        "from tests.providers.embedded.test_provider import ask, embedded, pid_of\n"
        "from tests.providers.asking import all_events\n"
        "async def main():\n"
        "    provider = embedded(Path(sys.argv[1]))\n"
        "    await all_events(provider, ask())\n"
        "    print(pid_of(provider), flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    orphan = int(await owner.stdout.readline())
    async with closing(embedded(tmp_path)) as guest:
        assert text_of(await all_events(guest, ask()))
        assert supervisor_of(guest).pid is None
        owner.kill()
        await owner.wait()
        assert text_of(await all_events(guest, ask()))
        assert pid_of(guest) != orphan
        for _ in range(100):
            if not exists(orphan) or _is_zombie(orphan):  # in a container nobody may reap it
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("an orphan")


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def test_F38_stopping_leaves_neither_process_nor_socket(tmp_path: Path) -> None:
    provider = embedded(tmp_path)
    await all_events(provider, ask())
    pid = pid_of(provider)
    folder = tmp_path / "run" / "embedded"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "address.json").stat().st_mode) == 0o600
    key = supervisor_of(provider)._ownership.published()
    assert key is not None
    assert key.key.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert key.key.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    began = monotonic()
    await provider.aclose()
    assert monotonic() - began < 5
    assert not exists(pid)
    assert sorted(path.name for path in folder.iterdir()) == ["lib", "lock"]


async def test_a_deep_data_folder_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    async with closing(embedded(deep)) as provider:
        assert text_of(await all_events(provider, ask()))
        address = supervisor_of(provider)._ownership.published()
        assert address is not None
        assert len(address.socket) < 100
    assert not Path(address.socket).parent.exists()


async def test_F38_what_a_dead_owner_left_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "embedded"
    folder.mkdir(parents=True)
    (folder / "old.sock").touch()
    (folder / "address.json").write_text('{"socket": "/nowhere/x.sock", "key": "k"}')
    async with closing(embedded(tmp_path)) as provider:
        (model,) = await provider.list_models()
        assert model.loaded is False
        assert text_of(await all_events(provider, ask()))
        assert not (folder / "old.sock").exists()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("import sys; print('no such weights', file=sys.stderr); sys.exit(3)", "no such weights (exit code 3)"),
        ("import os; os._exit(0)", "exit code 0"),
    ],
)
async def test_F38_a_child_that_cannot_start_is_named_unavailable(
    script: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "BACK_OFF", (0.01, 0.02, 0.04))
    async with closing(embedded(tmp_path, [sys.executable, "-I", "-c", script])) as provider:
        error = (await heard(provider, ask())).error
        assert isinstance(error, ProviderUnavailable)
        assert reason in error.message
        monkeypatch.setattr(supervisor_module, "BACK_OFF", (5.0, 5.0, 5.0))
        began = monotonic()
        assert isinstance((await heard(provider, ask())).error, ProviderUnavailable)
        assert monotonic() - began < 4  # given up for a while, not tried four times again
    assert not list((tmp_path / "run" / "embedded").glob("*.sock"))


async def test_a_missing_file_is_a_problem_and_not_a_crash(tmp_path: Path) -> None:
    providers = Providers(settings_for(embedded_model=str(tmp_path / "no.gguf"), data_dir=tmp_path))
    listed = await providers.models()
    assert [problem.provider for problem in listed.problems if problem.provider == "embedded"] == ["embedded"]
    await providers.aclose()


def test_a_gguf_of_ones_own_has_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "My Model Q4_K.gguf"
    path.touch()
    model = find_model(settings_for(embedded_model=str(path)))
    assert model == EmbeddedModel("my-model-q4_k", path, is_demo=False)
    assert find_model(settings_for(embedded_model="off")) is None
