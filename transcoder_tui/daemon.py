"""The worker daemon: puts supervisor and API together and runs them. Started by the keeper."""

import asyncio
import fcntl
import logging
import logging.handlers
import os
import resource
import signal
import socket
import sys
from contextlib import suppress

from transcoder_tui.api.app import make_app
from transcoder_tui.api.server import bind, make_server
from transcoder_tui.errors import TranscoderError
from transcoder_tui.settings import Settings, load_settings
from transcoder_tui.worker.keeper import EXIT_CONFIG
from transcoder_tui.worker.supervisor import Supervisor

LOG_BYTES = 10_000_000
"""Size at which the worker's own log is rotated; one older part is kept."""

log = logging.getLogger("transcoder_tui")


def main() -> int:
    """Runs the worker of one data directory.

    Returns:
        0 after an ordered end, :data:`EXIT_CONFIG` where it cannot start and a second try would not help.
    """
    try:
        settings = load_settings()
        _prepare(settings)
    except TranscoderError as error:
        print(f"worker: {error}", file=sys.stderr)
        return EXIT_CONFIG
    except OSError as error:
        print(f"worker: the data directory cannot be used: {error}", file=sys.stderr)
        return EXIT_CONFIG
    lock = os.open(settings.run_path / "worker.lock", os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"worker: another worker already runs on {settings.data_dir}", file=sys.stderr)
        return EXIT_CONFIG
    try:
        asyncio.run(_serve(settings))
    except TranscoderError as error:
        log.error("%s", error)
        print(f"worker: {error}", file=sys.stderr)
        return EXIT_CONFIG
    return 0


def _prepare(settings: Settings) -> None:
    for directory in (settings.data_dir, settings.run_path, settings.channel_logs):
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    for published in (settings.hls, *settings.media):
        published.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(settings.worker_log, maxBytes=LOG_BYTES, backupCount=1)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    logging.raiseExceptions = False  # a full disk must not fill the keeper's log with the news
    for noisy in ("alembic", "uvicorn", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


async def _serve(settings: Settings) -> None:
    supervisor = Supervisor(settings)
    server = make_server(make_app(supervisor))
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    await supervisor.open()
    listener = bind(settings.socket)
    serving = loop.create_task(server.serve(sockets=[listener]), name="api")
    keeping = loop.create_task(supervisor.keep(), name="supervisor")
    stopping = loop.create_task(stop.wait(), name="stop")
    _tell_systemd("READY=1")
    done, _ = await asyncio.wait({serving, keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in done - {stopping}:
        log.critical("%s ended unexpectedly", task.get_name(), exc_info=task.exception())
    keeping.cancel()
    supervisor.feed.close()
    server.should_exit = True
    await asyncio.wait({serving})
    settings.socket.unlink(missing_ok=True)
    await supervisor.close()
    log.info("worker ended; channels stay on air")
    if stopping not in done:
        sys.exit(1)


def _tell_systemd(state: str) -> None:
    """Tells the service manager how far we are: sd_notify(3)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.send(state.encode())


if __name__ == "__main__":
    sys.exit(main())
