"""The life of a channel's run: its states and the transitions between them.

::

              start                 two progress blocks
    stopped ─────────► pending ────────────────────────► running
       ▲                │  ▲                              │
       │           fails│  │ delay over, or start         │ fails, stalls
       │                ▼  │                              │
       ├──────────── retrying ◄───────────────────────────┤
       │   stop         │ no attempt left, or no cure     │
       │                ▼                                 │
       ├───────────── error ◄─────────────────────────────┤
       │                                                  │ stop, restart
       └──────────── stopping ◄───────────────────────────┘
                        └──► pending (a restart, or a start that came during the stop)

After a reboot of the host a run that was live becomes pending or stopped, as wanted.
"""

from transcoder_tui.models.event import Severity
from transcoder_tui.models.job import Status

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.STOPPED: frozenset({Status.PENDING}),
    Status.PENDING: frozenset({Status.RUNNING, Status.RETRYING, Status.ERROR, Status.STOPPING, Status.STOPPED}),
    Status.RUNNING: frozenset({Status.RETRYING, Status.ERROR, Status.STOPPING, Status.STOPPED, Status.PENDING}),
    Status.RETRYING: frozenset({Status.PENDING, Status.STOPPED, Status.ERROR}),
    Status.STOPPING: frozenset({Status.STOPPED, Status.PENDING}),
    Status.ERROR: frozenset({Status.PENDING, Status.STOPPED}),
}
"""From each state, the states that may follow it."""

SEVERITY = {Status.RETRYING: Severity.WARNING, Status.ERROR: Severity.ERROR}
"""How much entering a state matters; the states that are not here are information."""


class ImpossibleTransition(AssertionError):
    """A transition that is not in the table: a defect of the program, never of a channel."""


def assert_transition(old: Status, new: Status) -> None:
    """Holds the table.

    Raises:
        ImpossibleTransition: Where ``new`` may not follow ``old``.
    """
    if new not in TRANSITIONS[old]:
        raise ImpossibleTransition(f"{old} cannot become {new}")
