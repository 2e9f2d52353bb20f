"""Leaves at once when the terminal goes away. Textual would read its end-of-file for ever, at 100 % of a core.

Nothing has to be saved: channels belong to the worker, and the console keeps nothing.
"""

import asyncio
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from transcoder_tui.errors import HostFault

STATUS = 128 + signal.SIGHUP
"""Exit status of a process that ended because of SIGHUP, as shells report it."""
GRACE_S = 1.0
"""Time to restore a terminal that may still be there. It is not longer, because writing to a dead one can block."""


def leave_with_terminal() -> None:
    """Ends this process as soon as its terminal is gone.

    poll(2) with no events asked for still reports POLLHUP, so the watching thread sleeps until then.

    Raises:
        HostFault: Where there is no terminal, or one that can only be written to line by line.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise HostFault("the console needs a terminal", "run it in one, or use 'transcoder-tui channels'", "terminal")
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        raise HostFault(
            "this terminal says that it can only print lines (TERM)",
            "set TERM to what it is, such as xterm-256color, or use 'transcoder-tui channels'",
            "terminal",
        )
    threading.Thread(target=_watch, args=(sys.stdin.fileno(),), name="hangup", daemon=True).start()


def _watch(fd: int) -> None:
    poller = select.poll()
    poller.register(fd, 0)
    while not poller.poll():
        pass
    os._exit(STATUS)


def leave_on_signals(leave: Callable[[], None]) -> None:
    """Makes SIGHUP and SIGTERM restore the terminal and end this process, whatever its parent had set for them.

    Args:
        leave: Ends the app in good order; the process ends without it where that takes longer than :data:`GRACE_S`.
    """
    loop = asyncio.get_running_loop()

    def on_signal(number: int, _: FrameType | None) -> None:
        signal.signal(signal.SIGALRM, lambda *_: os._exit(128 + number))
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)
        if not loop.is_closed():
            loop.call_soon_threadsafe(leave)

    # Not by the loop's own handlers, which a loop that hangs would never call; and no thread, which must not be
    # started where a signal may have interrupted the start of another.
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, on_signal)
