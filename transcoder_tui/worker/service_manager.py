"""What systemd is told about us: sd_notify(3). Silent where no service manager asked to be told.

Standard library only, because the keeper uses it.
"""

import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """Tells the service manager something, such as ``READY=1``; never waits and never fails."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
        channel.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)


def is_watched_over() -> bool:
    """Whether a service manager started us that starts the keeper again when it ends.

    ``INVOCATION_ID`` would not do: in a desktop session every shell inherits one.
    """
    return bool(os.environ.get("NOTIFY_SOCKET"))


def watchdog_s() -> float | None:
    """Within how many seconds the service manager wants a sign of life from this very process; None where it does not.

    ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` of sd_watchdog_enabled(3).
    """
    asked, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", str(os.getpid()))
    return int(asked) / 1e6 if asked.isdecimal() and int(asked) and pid == str(os.getpid()) else None
