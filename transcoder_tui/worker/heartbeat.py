"""How the keeper knows that the worker lives, and not only exists: a moment in memory that both share.

The worker writes the time there after each completed round. It is memory and no file, so that neither a full nor a
hanging disk can stop the worker or make it look dead, and it is the kernel's monotonic time, so that a clock that is
set does not matter. Standard library only, because the keeper uses it.
"""

import os
import struct
import time
from functools import cache
from pathlib import Path

DESCRIPTOR = 3
"""Where the worker finds the shared memory."""
VARIABLE = "TRANSCODER_HEARTBEAT"
"""The environment variable that tells a worker that its keeper listens."""
_MOMENT = struct.Struct("=d")
"""Monotonic seconds; 0.0 before the first beat."""


class Pulse:
    """The keeper's side.

    Args:
        descriptor: The memory that an earlier keeper handed over; new memory where there was none.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor = os.memfd_create("heartbeat") if descriptor is None else descriptor
        if descriptor is None:
            self.reset()

    def reset(self) -> None:
        """Forgets the beats of an earlier worker."""
        os.pwrite(self.descriptor, _MOMENT.pack(0.0), 0)

    def last(self) -> float:
        """When the worker last completed a round, in monotonic seconds; 0.0 where it has completed none."""
        raw = os.pread(self.descriptor, _MOMENT.size, 0)
        return float(_MOMENT.unpack(raw)[0]) if len(raw) == _MOMENT.size else 0.0

    def for_worker(self) -> tuple[dict[str, str], list[tuple[int, int, int]]]:
        """What a new worker needs in its environment, and the ``file_actions`` for its ``os.posix_spawn``."""
        return {VARIABLE: str(DESCRIPTOR)}, [(os.POSIX_SPAWN_DUP2, self.descriptor, DESCRIPTOR)]


def beat() -> None:
    """Tells the keeper that the worker completed a round. Never waits; does nothing in a worker without keeper."""
    descriptor = _inherited()
    if descriptor is not None:
        os.pwrite(descriptor, _MOMENT.pack(time.monotonic()), 0)


@cache
def _inherited() -> int | None:
    if os.environ.get(VARIABLE) != str(DESCRIPTOR):
        return None
    try:
        if not str(Path(f"/proc/self/fd/{DESCRIPTOR}").readlink()).startswith("/memfd:heartbeat"):
            return None
        os.set_inheritable(DESCRIPTOR, False)
    except OSError:
        return None
    return DESCRIPTOR
