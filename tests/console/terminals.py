"""A console in a pseudo-terminal: a process of its own, on a worker that is not there."""

import asyncio
import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from rack_fixtures import FakeClient, view

from transcoder_tui.client.client import Verb
from transcoder_tui.models.view import Delta, Order, Snapshot

PATIENCE_S = 30.0
JOURNAL = "TEST_JOURNAL"
"""Environment variable: the file into which a busy client writes what it did."""

PROGRAM = """
import sys
sys.path.insert(0, {here!r})
from transcoder_tui.console.app import run_console
def connect():
    from terminals import {client}
    return {client}()
try:
    said = run_console(connect)
except Exception as error:
    print("REFUSED: " + str(error))
    sys.exit(1)
print("SAID: " + said)
"""


def comes_true(check: Callable[[], object]) -> None:
    """Waits until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class BusyClient(FakeClient):
    """A worker whose first channel changes fifty times a second, and which keeps a journal."""

    PACE_S = 0.02

    async def stream(self) -> AsyncIterator[Snapshot | Delta]:
        async for message in super().stream():
            yield message
            break
        for tick in range(1_000_000):
            await asyncio.sleep(self.PACE_S)
            self._note(f"tick {tick}")
            self.say(view(1, f"Tick {tick:06}"))
            yield self._messages.get_nowait()  # type: ignore[misc]

    async def order(self, channel_id: int, verb: Verb) -> Order:
        self._note(f"{verb} {channel_id}")
        return await super().order(channel_id, verb)

    def _note(self, words: str) -> None:
        with Path(os.environ[JOURNAL]).open("a") as journal:
            journal.write(f"{words}\n")


class CalmClient(BusyClient):
    """The same at the worker's own pace."""

    PACE_S = 1.0


class Terminal:
    """A console in a pseudo-terminal.

    Args:
        client: Name of the worker's client: a class of this module.
        ignore_hangup: Whether the console's parent ignores SIGHUP, as nohup does.
        size: Columns and lines.
        environment: What differs from this process's; what is empty is taken away.
    """

    def __init__(
        self,
        client: str = "FakeClient",
        *,
        ignore_hangup: bool = False,
        size: tuple[int, int] = (80, 24),
        **environment: str,
    ) -> None:
        program = PROGRAM.format(here=str(Path(__file__).parent), client=client)
        given = {**os.environ, **environment}
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            if ignore_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            os.execve(sys.executable, [sys.executable, "-c", program], {k: v for k, v in given.items() if v})
        self.output = b""
        self.status: int | None = None
        self._open = True

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read_until(self, words: bytes) -> None:
        """Reads until words have come since the last call of :meth:`forget`."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.output:
            assert time.monotonic() < deadline, self.output[-2000:]
            if not self.read(0.1):
                break
        assert words in self.output, self.output[-2000:]

    def read(self, timeout_s: float = 0) -> bool:
        """Reads what there is.

        Returns:
            False where there will be nothing more.
        """
        if select.select([self._fd], [], [], timeout_s)[0]:
            try:
                self.output += os.read(self._fd, 65536)
            except OSError:
                return False
        return True

    def read_for(self, seconds: float) -> None:
        """Reads what comes in some time, such as that after which an ESC is a key and not the begin of another one."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.read(left)

    def forget(self) -> None:
        """Forgets what was read."""
        self.output = b""

    def write(self, keys: bytes) -> None:
        """Types, while reading what comes: a terminal that does not read is in the way of one who types much."""
        while keys:
            if select.select([], [self._fd], [], 0.01)[1]:
                keys = keys[os.write(self._fd, keys[:1024]) :]
            self.read()

    def type_blindly(self, keys: bytes) -> None:
        """Types without reading."""
        os.write(self._fd, keys)

    def close(self) -> None:
        if self._open:
            os.close(self._fd)
            self._open = False

    def wait(self, *, reading: bool = True) -> int:
        """Waits for the end of the process; gives its exit status."""
        deadline = time.monotonic() + PATIENCE_S
        while self.status is None:
            assert time.monotonic() < deadline, "still running"
            if self._open and reading and not self.read():
                self.close()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        while self._open and reading and select.select([self._fd], [], [], 0)[0]:
            if not self.read():
                break
        return self.status

    def end(self) -> None:
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.close()

    @property
    def memory(self) -> int:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
