"""A pseudo-terminal with a program in it, as the bench of the console watches it."""

import fcntl
import os
import pty
import signal
import struct
import termios
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

TIMEOUT_S = 60.0
"""A program that has not written what a measurement waits for by then makes the bench fail."""


class Terminal:
    """Runs a program in a terminal, and reads what it writes as fast as it does.

    Args:
        argv: The program with its arguments.
        size: Columns and lines.
    """

    def __init__(self, argv: Sequence[str], size: tuple[int, int] = (120, 40)) -> None:
        self.begun = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.execv(argv[0], argv)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.octets = 0
        """Bytes that it wrote so far."""
        self._latest = b""
        self._written = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except OSError:
                return
            if not data:
                return
            with self._written:
                self.octets += len(data)
                self._latest = (self._latest + data)[-(1 << 18) :]
                self._written.notify_all()

    def until(self, words: bytes) -> float:
        """Waits until it has written something; returns how long after its start that was, in seconds.

        Raises:
            TimeoutError: Where it does not.
        """
        with self._written:
            if not self._written.wait_for(lambda: words in self._latest, TIMEOUT_S):
                raise TimeoutError(f"{words!r} is not to be seen")
        return time.perf_counter() - self.begun

    def press(self, key: bytes) -> float:
        """Presses a key; returns the seconds until something is written.

        Raises:
            TimeoutError: Where nothing is.
        """
        with self._written:
            before = self.octets
            begun = time.perf_counter()
            os.write(self._fd, key)
            if not self._written.wait_for(lambda: self.octets > before, TIMEOUT_S):
                raise TimeoutError(f"{key!r} changes nothing")
            return time.perf_counter() - begun

    def close(self) -> None:
        """Ends the program."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._reader.join(1.0)
        os.close(self._fd)
