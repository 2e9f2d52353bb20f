"""The worker daemon: puts supervisor and API together and runs them. Started by the keeper.

Channels come first: what a supervisor needs is imported before anything else, and the API, which takes as long again to
import, when every channel has been taken up.
"""

import asyncio
import gc
import logging
import logging.handlers
import resource
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING

from transcoder_tui.errors import TranscoderError
from transcoder_tui.run_directory import WORKER_LOCK, own_directory
from transcoder_tui.worker.handover import State
from transcoder_tui.worker.keeper import EXIT_CONFIG
from transcoder_tui.worker.service_manager import notify
from transcoder_tui.worker.succession import become_keeper, succession, take_place

if TYPE_CHECKING:
    from transcoder_tui.settings import Settings
    from transcoder_tui.worker.supervisor import Supervisor

LOG_BYTES = 10_000_000
"""Size at which the worker's own log is rotated; one older part is kept."""
CLOSE_S = 10.0
"""Longest wait for the database to close; less than the keeper's patience with a worker that was told to end."""
SWITCH_S = 0.0005
"""Longest turn of one thread while another waits."""
SUPERVISOR = "transcoder_tui.worker.supervisor"
API = "transcoder_tui.api.server"

log = logging.getLogger("transcoder_tui")


def load() -> None:
    """Imports all that a worker needs, which proves that it can be run.

    Raises:
        ImportError: Where the installation is not whole.
    """
    for module in (SUPERVISOR, API):
        import_module(module)


def main() -> int:
    """Runs the worker of one data directory; where its keeper is gone, it becomes the keeper and does not return.

    Returns:
        0 after an ordered end, :data:`EXIT_CONFIG` where it cannot start and a second try would not help.
    """
    # Nothing that is imported becomes garbage, and looking for some costs a tenth of the time.
    gc.disable()
    # The store's thread would hold the interpreter for 5 ms at a time, and the event loop wait for it: with 300
    # channels that change their state at once, it waited 7 to 68 ms, and 4 to 17 ms with this.
    sys.setswitchinterval(SWITCH_S)
    from transcoder_tui.settings import load_settings

    try:
        settings = load_settings()
        _prepare(settings)
        lock = take_place(settings.run_path / WORKER_LOCK)
    except TranscoderError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"the data directory cannot be used: {error}")
    if lock is None:
        return _refuse(f"another worker already runs on {settings.data_dir}")
    try:
        state = asyncio.run(_work(settings))
    except TranscoderError as error:
        return _refuse(str(error))
    if state is not None:
        become_keeper(state)
        return 1
    return 0


def _refuse(reason: str) -> int:
    log.error("%s", reason)
    print(f"worker: {reason}", file=sys.stderr)
    return EXIT_CONFIG


def _prepare(settings: "Settings") -> None:
    for directory in (settings.data_dir, settings.channel_logs):
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    own_directory(settings.run_path)
    for published in (settings.hls, *settings.media):
        published.mkdir(parents=True, exist_ok=True)
    handler: logging.Handler
    try:
        handler = logging.handlers.RotatingFileHandler(settings.worker_log, maxBytes=LOG_BYTES, backupCount=1)
    except OSError:
        handler = logging.StreamHandler()  # a disk that became read-only is no reason to leave channels alone
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    logging.raiseExceptions = False  # a full disk must not fill the keeper's log with the news
    for noisy in ("alembic", "uvicorn", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


async def _work(settings: "Settings") -> State | None:
    """Takes up the channels, serves the API, and leaves when told to or when the keeper is gone.

    Returns:
        What this process needs in order to become the keeper; None where it is not to.

    Raises:
        TranscoderError: Where it cannot start.
        SystemExit: Where a part of it ended that must not.
    """
    from transcoder_tui.api.listener import bind
    from transcoder_tui.worker.supervisor import Supervisor

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    listener = bind(settings.socket)
    supervisor = Supervisor(settings)
    await supervisor.open()
    keeping = loop.create_task(supervisor.keep(), name="supervisor")
    serving = loop.create_task(_serve(supervisor, listener), name="api")
    stopping = loop.create_task(stop.wait(), name="stop")
    leaving = loop.create_task(succession(settings.run_path), name="succession")
    done, _ = await asyncio.wait({keeping, serving, stopping, leaving}, return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in done if task in (keeping, serving) or task.exception()]
    for task in failed:
        log.critical("%s ended unexpectedly", task.get_name(), exc_info=task.exception())
    keeping.cancel()
    supervisor.feed.close()
    serving.cancel()
    leaving.cancel()
    await asyncio.wait({serving})
    settings.socket.unlink(missing_ok=True)
    try:
        async with asyncio.timeout(CLOSE_S):
            await supervisor.close()
    except TimeoutError:
        log.error("the database did not close within %g s", CLOSE_S)
    log.info("worker ended; channels stay on air")
    if failed and stopping not in done:
        sys.exit(1)
    return leaving.result() if leaving in done and stopping not in done else None


async def _serve(supervisor: "Supervisor", listener: socket.socket) -> None:
    # In a thread of its own: the channels are watched meanwhile.
    with ThreadPoolExecutor(1, thread_name_prefix="import") as importing:
        api = await asyncio.get_running_loop().run_in_executor(importing, import_module, API)
    gc.freeze()
    gc.enable()
    await api.serve(supervisor, listener, lambda: notify("READY=1"))


if __name__ == "__main__":
    sys.exit(main())
