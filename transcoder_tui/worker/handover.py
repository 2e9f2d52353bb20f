"""From one keeper to the next in the same process: by exec, so that pid, children and locks stay what they are.

Nothing that ends meanwhile is lost: a child stays a zombie until it is waited for, and the signals are blocked, so that
they wait for the next keeper too. Standard library only.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import NoReturn

SIGNALS = frozenset({signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""What a keeper waits for; blocked in it and across the exec."""
FORMAT = 1
"""Version of what is handed over. Counted up where a keeper of the version before could not take it."""
VARIABLE = "TRANSCODER_KEEPER_STATE"
"""The environment variable that holds it."""
KEEPER = ("-m", "transcoder_tui.worker.keeper")
"""Python's arguments that make it a keeper."""
_CHECK = f"""
import transcoder_tui.worker.keeper, transcoder_tui.daemon, sys
from transcoder_tui.worker.handover import FORMAT
transcoder_tui.daemon.load()
sys.exit(FORMAT != {FORMAT} and "it cannot take over from the running one; use 'worker stop', then 'worker start'")
"""
CHECK = (sys.executable, "-c", _CHECK)
"""Whether the installed code could take over: ends with 0, or with the reason as the last line on stderr."""


@dataclass(slots=True)
class State:
    """What a keeper knows."""

    lock: int
    """The descriptor that holds the run directory's ``keeper.lock``."""
    pulse: int | None = None
    """The descriptor of the memory for the worker's heartbeat; None where the next keeper is to make its own."""
    worker: int = 0
    """The worker's pid; 0 while there is none."""
    started: float = 0.0
    """When it was started, in monotonic seconds."""
    early_ends: int = 0
    """Consecutive workers that ended soon after their start."""
    proven: bool = False
    """Whether a worker of this keeper has ever done its work."""
    replace: bool = False
    """Whether the next keeper's first task is to replace the worker."""


def hand_over(state: State, arguments: Sequence[str] = KEEPER) -> NoReturn:
    """Becomes the next keeper.

    Args:
        state: What it has to know.
        arguments: Python's arguments that make it one.

    Raises:
        OSError: Where the interpreter cannot be run; then everything is as it was, but for SIGNALS, which are blocked.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    told = json.dumps({"format": FORMAT, "pid": os.getpid(), **asdict(state)})
    inherited = [descriptor for descriptor in (state.lock, state.pulse) if descriptor is not None]
    for descriptor in inherited:
        os.set_inheritable(descriptor, True)
    try:
        os.execve(sys.executable, [sys.executable, *arguments], {**os.environ, VARIABLE: told})
    finally:
        for descriptor in inherited:
            os.set_inheritable(descriptor, False)


def take_over() -> State | None:
    """What the keeper before us in this process handed over; None where there was none.

    The variable is taken out of the environment, so that no child reads it.
    """
    told = os.environ.pop(VARIABLE, None)
    if told is None:
        return None
    with suppress(ValueError, TypeError, AttributeError, OSError):
        values = json.loads(told)
        if values.pop("format") != FORMAT or values.pop("pid") != os.getpid():
            return None
        state = State(**values)
        for descriptor in (state.lock, state.pulse):
            if descriptor is not None:
                os.set_inheritable(descriptor, False)
        return state
    return None
