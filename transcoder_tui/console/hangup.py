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

from transcoder_tui.errors import HostFault

STATUS = 128 + signal.SIGHUP
"""Exit status of a process that ended because of SIGHUP, as shells report it."""
GRACE_S = 1.0
"""Time to restore a terminal that may still be there. It is not longer, because writing to a dead one can block."""


def leave_with_terminal() -> None:
    """Ends this process as soon as its terminal is gone.

    poll(2) with no events asked for still reports POLLHUP, so the watching thread sleeps until then.

    Raises:
        HostFault: Where there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise HostFault("the console needs a terminal", "run it in one, or use 'transcoder-tui channels'", "terminal")
    threading.Thread(target=_watch, args=(sys.stdin.fileno(),), name="hangup", daemon=True).start()


def _watch(fd: int) -> None:
    poller = select.poll()
    poller.register(fd, 0)
    while not poller.poll():
        pass
    os._exit(STATUS)


def leave_on_sighup(leave: Callable[[], None]) -> None:
    """Makes SIGHUP restore the terminal and end this process, whatever its parent had set for the signal.

    Args:
        leave: Ends the app in good order; the process ends without it where that takes longer than :data:`GRACE_S`.
    """

    def on_hangup() -> None:
        end = threading.Timer(GRACE_S, os._exit, (STATUS,))
        end.daemon = True
        end.start()
        leave()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, on_hangup)
