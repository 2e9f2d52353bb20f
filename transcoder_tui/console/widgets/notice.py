"""What is wrong with the worker itself, below the title bar until it has passed."""

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from transcoder_tui.console import format as written

if TYPE_CHECKING:
    from transcoder_tui.models.view import WorkerView

MOST_LINES = 4
"""Lines that it takes at the most: a full disk, its remedy and the events that wait are three of 80 cells; a missing
keeper is one."""


def worker_faults(worker: "WorkerView | None") -> list[str]:
    """What an operator has to know of a worker before anything else, each with its remedy; empty where it is well."""
    if worker is None:
        return []
    faults = []
    if worker.database != "ok":
        waiting = worker.unsaved_events
        wait = f" ({written.plural(waiting, 'event')} wait{'s' if waiting == 1 else ''})" if waiting else ""
        faults.append(f"orders cannot be stored{wait}: {' '.join(worker.database.split())}")
    if worker.keeper_pid is None:
        faults.append("no keeper: nobody restarts the worker; 'transcoder-tui worker start' repairs it")
    return faults


class Notice(Static):
    """Hides itself where there is nothing to say."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(markup=False, id=id)
        self._words = Content("")

    def show(self, faults: list[str]) -> None:
        """Takes over what is to be said."""
        words = Content("\n").join(Content(f" ▲ {fault}") for fault in faults)
        if words != self._words:
            self._words = words
            self.update(words)

    def wanted(self, width: int) -> int:
        """Lines that it needs in ``width`` cells."""
        return min(MOST_LINES, self._words.get_height({}, width)) if self._words else 0

    def allow(self, lines: int) -> None:
        """Takes as many lines as there are for it; none hides it."""
        self.display = lines > 0
        self.styles.height = max(1, lines)
