"""Named points at which tests let the program die, fail or wait: the proof that no moment is a bad one to crash.

Off unless ``TRANSCODER_FAILPOINTS`` names some, as in ``spawn.before=kill`` or ``backup.middle=delay:2;pid=off,kill``:
points are separated by semicolons, actions by commas, and ``N*`` repeats an action for N passes. Actions
are ``off``, ``kill`` (SIGKILL to this process), ``error`` (OSError EIO), ``error:NAME`` (another error, as in
``error:ENOMEM``) and ``delay:SECONDS``; after its last action a point is off.

A worker that a point killed is followed by one with the same environment, which would die of it again. So a text like
``@/path/of/a/file`` names a file that holds the points: it is looked at whenever a point is passed, and the first
process that passes a point of it takes it away, so that it arms one process once, a running one too.
"""

import errno
import os
import signal
import time
from collections import deque
from pathlib import Path

VARIABLE = "TRANSCODER_FAILPOINTS"

POINTS = (
    "order.before",
    "order.committed",
    "launch.committed",
    "spawn.before",
    "spawn.after",
    "pid.committed",
    "signal.before",
    "signal.after",
    "reap.before",
    "reap.after",
    "log.trim",
    "migrate.before",
    "migrate.middle",
    "backup.before",
    "backup.middle",
    "backup.after",
)
"""Every point there is."""

_ERRORS = {name: number for number, name in errno.errorcode.items()}


def parse(text: str) -> dict[str, deque[str]]:
    """The actions of each point, one for each pass.

    Raises:
        ValueError: Where a point or an action is unknown.
    """
    armed: dict[str, deque[str]] = {}
    for entry in filter(None, text.split(";")):
        name, _, actions = entry.partition("=")
        if name not in POINTS:
            raise ValueError(f"there is no failpoint {name!r}")
        armed[name] = deque(single for action in actions.split(",") for single in _repeated(action))
    return armed


def _repeated(action: str) -> list[str]:
    times, star, what = action.rpartition("*")
    known = what in ("off", "kill", "error") or what.startswith("delay:") or what.removeprefix("error:") in _ERRORS
    if not known:
        raise ValueError(f"{action!r} is no action of a failpoint")
    return [what] * (int(times) if star else 1)


_text = os.environ.get(VARIABLE, "")
_file = _text[1:] if _text.startswith("@") else None
_armed = parse("" if _file else _text)


def failpoint(name: str) -> None:
    """Passes a point: does nothing, unless it is armed.

    Raises:
        OSError: Where the point is armed with ``error``.
    """
    if _file is not None:
        _take(_file, name)
    actions = _armed.get(name)
    if not actions:
        return
    action = actions.popleft()
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "error":
        raise OSError(errno.EIO, f"failpoint {name}")
    elif action.startswith("error:"):
        number = _ERRORS[action.removeprefix("error:")]
        raise OSError(number, os.strerror(number))
    elif action.startswith("delay:"):
        time.sleep(float(action.removeprefix("delay:")))


def _take(path: str, name: str) -> None:
    """Takes the file away and its points over, if it is there and arms this one."""
    mine = Path(f"{path}.{os.getpid()}")
    try:
        found = parse(Path(path).read_text().strip())
        if name in found:
            # Of two processes at this point, the second one finds nothing to rename.
            Path(path).rename(mine)
            mine.unlink()
            _armed.update(found)
    except FileNotFoundError:
        return
