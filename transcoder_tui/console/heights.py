"""How the lines of the rack's screen are shared out between machine, table, fault and log. Pure."""

from dataclasses import dataclass

TITLES = 3
"""Lines that are always there beside what is shared out: title bar, titles of the columns, keys."""
LEAST_ROWS = 2
"""Rows that the table keeps whatever else has to go: the channel under the cursor and one to go to."""
QUIET_ROWS = 5
"""Rows that the table keeps although the line-up is shorter, so that the log does not jump with each new channel."""
FAIR_ROWS = 4
"""Rows that the table has before the machine takes any."""
FAIR_FAULT = 2
"""Lines that are kept for a fault before the machine takes any, whether there is one or not: the machine stays still
while the cursor goes from channel to channel."""
FAIR_LOG = 3
"""Lines that the log has before the machine takes any: its heading and two more."""
LEAST_LOG = 2
"""Lines below which the log is of no use: its heading and one more."""
NOTICE_SHARE = 0.2
"""Part of the screen that faults of the worker itself take at the most."""
TABLE_SHARE = 0.6
"""Part of the lines below the machine that the table takes at the most; the log has the rest."""


@dataclass(frozen=True, slots=True)
class Heights:
    """Lines of each part of the screen; the log has what they leave."""

    strip: int
    """The machine; 0 where it has to go."""
    table: int
    fault: int
    log: bool
    """Whether there is room for the log."""


def share_out(room: int, *, strip: int, rows: int, fault: int) -> Heights:
    """Shares out the lines of a screen; where it is small, the machine gives way first, then the log, then the fault.

    Args:
        room: Lines without those that are always there.
        strip: Lines that the machine would like.
        rows: Channels to show.
        fault: Lines that the fault of the channel under the cursor needs.
    """
    strip = max(0, min(strip, room - FAIR_ROWS - FAIR_FAULT - FAIR_LOG))
    rest = room - strip
    fault = max(0, min(fault, rest - LEAST_ROWS))
    table = max(LEAST_ROWS, min(max(QUIET_ROWS, rows), int((rest - LEAST_LOG) * TABLE_SHARE)))
    if rest - fault - table >= LEAST_LOG:
        return Heights(strip, table, fault, log=True)
    return Heights(strip, max(1, rest - fault), fault, log=False)
