"""The life of a channel's run: its states, what happens to it, and which state follows.

::

               start (wait, where too many are starting)
    stopped ───────────────► queued ──► pending ──── on air ────► running
       ▲                       │         │  ▲                       │
       │                       │    fails│  │ delay over, or start  │ fails
       │                  stop │         ▼  │                       ▼
       ├◄──────────────────────┴────── retrying ◄───────────────────┤
       │   stop                          │ no attempt left, no cure │
       │                                 ▼                          │
       ├◄───────────────────────────── error ◄──────────────────────┤
       │                                 └──► pending (a slow probe)│ stop, restart, watchdog, other source
       └◄──── finished ───────────── stopping ◄─────────────────────┘
                                         └──► queued, pending, retrying, error, by what was wanted meanwhile

What is *done* follows from the state that is entered (``worker/run.py``). What is wanted is told apart from what is:
each order counts the job's ``generation`` up, and whatever was begun for an older generation yields to the newer one
when it comes to its end. So a stop during a restart wins, and a start during a stop is not lost.
"""

from enum import StrEnum

from transcoder_tui.models.event import Severity
from transcoder_tui.models.job import Status


class Happening(StrEnum):
    """What happens to a run."""

    START = "start"
    """It is to be on air, and there is room to start it."""
    WAIT = "wait"
    """It is to be on air, and too many others are starting."""
    ADOPT = "adopt"
    """Its FFmpeg was found running although its state says otherwise."""
    ON_AIR = "on air"
    """Media time advances."""
    END = "end"
    """It is to end, or at least its present FFmpeg: an order, a watchdog, another source."""
    FINISH = "finish"
    """No FFmpeg runs any more, as ordered."""
    FAIL = "fail"
    """Its FFmpeg ended or could not be started, and it will be tried again."""
    GIVE_UP = "give up"
    """The same, and no attempt is left, or the cause cannot heal by itself."""


_UP = {Happening.START: Status.PENDING, Happening.WAIT: Status.QUEUED}
_OFF = {**_UP, Happening.ADOPT: Status.PENDING, Happening.END: Status.STOPPED, Happening.FINISH: Status.STOPPED}
_DOWN = {Happening.FINISH: Status.STOPPED, Happening.FAIL: Status.RETRYING, Happening.GIVE_UP: Status.ERROR}

TRANSITIONS: dict[Status, dict[Happening, Status]] = {
    Status.STOPPED: {**_UP, Happening.ADOPT: Status.PENDING},
    Status.QUEUED: _OFF,
    # A host that was started anew, or a worker that died while it started FFmpeg, leads from here to a new start.
    Status.PENDING: {**_UP, **_DOWN, Happening.ON_AIR: Status.RUNNING, Happening.END: Status.STOPPING},
    Status.RUNNING: {**_UP, **_DOWN, Happening.END: Status.STOPPING},
    Status.STOPPING: {**_UP, **_DOWN},
    Status.RETRYING: _OFF,
    Status.ERROR: _OFF,
}
"""For each state, which state follows what may happen in it."""

SEVERITY = {Status.RETRYING: Severity.WARNING, Status.ERROR: Severity.ERROR}
"""How much entering a state matters; the states that are not here are information."""


class ImpossibleTransition(AssertionError):
    """Something that cannot happen in a state: a defect of the program, never of a channel."""


def follow(status: Status, happening: Happening) -> Status:
    """The state that follows.

    Raises:
        ImpossibleTransition: Where the table has none.
    """
    following = TRANSITIONS[status].get(happening)
    if following is None:
        raise ImpossibleTransition(f"{happening!r} cannot happen to a run that is {status}")
    return following
