"""``worker run``, ``start``, ``stop``, ``status`` and ``reload``."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from transcoder_tui.cli.exit_codes import ExitCode, code_of_all
from transcoder_tui.cli.figures import duration_text
from transcoder_tui.cli.handles import handle_on, has_ended, keeper_of, send
from transcoder_tui.cli.orders import order_each
from transcoder_tui.cli.output import say, say_pairs, write_json
from transcoder_tui.client.background import KEEPER_ARGV, ensure_worker, keeper_environment
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.client.sanitise import sanitise
from transcoder_tui.errors import HostFault, NoWorker, TranscoderError
from transcoder_tui.locks import holder
from transcoder_tui.models.job import Status, Wanted
from transcoder_tui.models.view import WorkerView
from transcoder_tui.run_directory import RELOAD_REFUSED, WORKER_LOCK
from transcoder_tui.settings import Settings

END_S = 30.0
"""Longest wait for a worker to end or to be replaced; its keeper kills it after 15 s."""
END = signal.SIGINT
"""Ends a keeper so that its service manager does not start it again: by its exit code, which TERM does not give it."""
HANGING_S = 10.0
"""A worker without keeper that has not ended so long after TERM is killed."""
POLL_S = 0.1
"""Wait between two looks at a worker that is ending or coming."""

Seen = TypeVar("Seen")


def run(settings: Settings) -> None:
    """Becomes the keeper, in the foreground; does not return."""
    os.chdir("/")
    os.execve(KEEPER_ARGV[0], KEEPER_ARGV, keeper_environment(settings))


async def start(settings: Settings) -> ExitCode:
    """Starts keeper and worker unless they run; a worker without a keeper is replaced by one that has one."""
    alone = holder(settings.run_path / WORKER_LOCK) if keeper_of(settings.run_path) is None else None
    if alone is not None:
        with handle_on(None, alone) as handle:
            await _end(handle)
        say(f"Worker {alone} had no keeper and is replaced. Channels stay on air.", "warning")
    started = ensure_worker(settings)
    async with WorkerClient(settings.socket) as client:
        view = await client.worker()
    say(f"Worker {view.pid} {'started' if started else 'runs already'}; it listens on {settings.socket}.")
    return ExitCode.OK


async def status(client: WorkerClient, *, as_json: bool) -> ExitCode:
    """Says which worker runs."""
    view = await client.worker()
    if as_json:
        write_json(view.model_dump(mode="json"))
        return ExitCode.OK
    say(f"Worker {view.pid} answers.", "good")
    say_pairs(
        [
            ("version", view.version),
            ("up", duration_text(view.uptime_s)),
            (
                "keeper",
                str(view.keeper_pid)
                if view.keeper_pid
                else "none; nobody restarts the worker: 'worker start' repairs it",
            ),
            ("socket", view.socket),
            ("data", view.data_dir),
            ("database", view.database),
            ("ffmpeg", f"{view.ffmpeg_version}  {view.ffmpeg}"),
        ]
    )
    return ExitCode.OK


async def stop(client: WorkerClient, settings: Settings, *, channels: bool) -> ExitCode:
    """Ends keeper and worker.

    Args:
        client: The worker to end.
        settings: Where to look for a keeper whose worker does not answer.
        channels: Whether to take its channels off air first.
    """
    try:
        view = await client.worker()
    except NoWorker:
        return await _stop_keeper(client, settings)
    failed: list[TranscoderError] = []
    if channels:
        jobs = [job for job in await client.jobs() if job.wanted is Wanted.RUNNING or job.status is not Status.STOPPED]
        failed = await order_each(client, "stop", jobs)
    left = sum(job.status.is_live for job in await client.jobs())
    with handle_on(view.keeper_pid, view.pid) as handle:
        send(handle, END)
        await _ended(client, handle)
    if left:
        say(f"Worker stopped. {_stay(left)} on air; 'transcoder-tui worker start' takes them up again.")
    else:
        say("Worker stopped. No channel is on air.")
    return code_of_all(failed)


async def _stop_keeper(client: WorkerClient, settings: Settings) -> ExitCode:
    """Ends a keeper that tries in vain to start a worker.

    Raises:
        NoWorker: Where there is no keeper either.
    """
    keeper = keeper_of(settings.run_path)
    if keeper is None:
        raise NoWorker(f"no worker runs on {settings.data_dir}, so there is none to stop")
    with handle_on(keeper) as handle:
        send(handle, END)
        await _ended(client, handle)
    say(f"No worker answered; its keeper {keeper} was stopped. What is on air stays on air.")
    return ExitCode.OK


async def reload(client: WorkerClient, settings: Settings) -> ExitCode:
    """Has keeper and worker run the installed version; the channels stay.

    Raises:
        HostFault: Where the keeper refuses, because that version cannot be run, or where there is no keeper.
    """
    before = await client.worker()
    if before.keeper_pid is None:
        raise HostFault("this worker has no keeper that could replace it", "'transcoder-tui worker start' replaces it")
    pids = await _pids(client)
    refusal = settings.run_path / RELOAD_REFUSED
    with handle_on(before.keeper_pid) as handle:
        with suppress(OSError):
            refusal.unlink(missing_ok=True)
        send(handle, signal.SIGHUP)
        after = await _replaced(client, before, refusal)
    now = await _pids(client)
    kept = sum(now.get(channel) == pid for channel, pid in pids.items())
    say(f"Worker {before.pid} was replaced by {after.pid}, version {after.version}.")
    if after.keeper_pid == before.keeper_pid:
        say(f"Keeper {after.keeper_pid} stays and runs that version too.")
    else:
        say(f"Keeper {before.keeper_pid} was replaced by {after.keeper_pid}.", "warning")
    if kept == len(pids):
        say(f"{_stay(kept)} on air with the same FFmpeg as before." if kept else "No channel is on air.")
    else:
        say(f"{kept} of {len(pids)} channels have the same FFmpeg as before.", "warning")
    return ExitCode.OK


def _stay(count: int) -> str:
    return f"{count} channel{' stays' if count == 1 else 's stay'}"


async def _pids(client: WorkerClient) -> dict[int, int]:
    """The FFmpeg of each channel that has one."""
    return {job.id: job.pid for job in await client.jobs() if job.pid is not None and job.status.is_live}


async def _end(handle: int) -> None:
    """Ends a worker, whatever condition it is in."""

    async def look() -> bool:
        return has_ended(handle)

    for number in (signal.SIGTERM, signal.SIGCONT):
        send(handle, number)
    try:
        await _until(look, "", HANGING_S)
    except TranscoderError:
        send(handle, signal.SIGKILL)
        await _until(look, f"the worker did not end within {END_S:g} s")


async def _ended(client: WorkerClient, handle: int) -> None:
    """Waits for the process to be gone and the socket to be silent, so that a new keeper finds the place free."""

    async def look() -> bool:
        return has_ended(handle) and await _answering(client) is None

    await _until(look, f"the worker did not end within {END_S:g} s")


async def _replaced(client: WorkerClient, before: WorkerView, refusal: Path) -> WorkerView:
    """The worker that came after this one.

    Raises:
        HostFault: Where the keeper refuses to replace it.
    """

    async def look() -> WorkerView | None:
        if refusal.exists():
            raise HostFault(
                f"the installed version cannot be run: {sanitise(refusal.read_text(errors='replace'))}",
                "repair the installation and reload again; keeper, worker and channels go on as before",
            )
        view = await _answering(client)
        return view if view is not None and view.pid != before.pid else None

    return await _until(look, f"no new worker answered within {END_S:g} s")


async def _until(look: Callable[[], Awaitable[Seen | None]], late: str, within_s: float = END_S) -> Seen:
    """Looks again and again until there is something to see.

    Raises:
        TranscoderError: Where there is nothing within this time.
    """
    try:
        async with asyncio.timeout(within_s):
            while True:
                if seen := await look():
                    return seen
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise TranscoderError(late, "look into the worker's log, logs/worker.log in the data directory") from None


async def _answering(client: WorkerClient) -> WorkerView | None:
    try:
        return await client.worker()
    except NoWorker:
        return None
