"""A real worker on a data directory of its own: real keeper, real FFmpeg, real database, real socket."""

import io
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from worker_rig import Wait, installation, row_of

from transcoder_tui.cli import main
from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.settings import Settings


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """A data directory and its settings, the same for all tests of a module."""
    with installation() as settings:
        yield settings


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[WorkerClient]:
    """A client of a running worker that has no channels yet."""
    ensure_worker(settings)
    async with WorkerClient(settings.socket) as client:
        yield client
    if not settings.socket.exists():
        return
    async with WorkerClient(settings.socket) as client:
        await client.apply({"version": 1, "channels": []}, prune=True)
    for root in (settings.hls, *settings.media):
        for entry in root.iterdir():
            shutil.rmtree(entry)


@pytest.fixture
def cli(
    settings: Settings, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs the command line as a user does, but for an interpreter of its own, which takes half a second to start."""

    def run(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capfd.readouterr()
        # It runs an event loop, of which a thread has one at most.
        with ThreadPoolExecutor(1) as aside:
            code = aside.submit(main, arguments).result(60)
        return subprocess.CompletedProcess(arguments, code, *capfd.readouterr())

    return run


@pytest.fixture
def wait(client: WorkerClient) -> Wait:
    """Follows the live stream until a channel is as a check wants it."""

    return partial(row_of, client)
