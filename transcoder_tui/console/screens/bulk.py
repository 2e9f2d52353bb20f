"""The progress of a task for many channels: as a whole, and each channel for which it failed."""

from collections.abc import Callable, Iterator
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from transcoder_tui.console import format as written
from transcoder_tui.console.batch import Batch, Failure
from transcoder_tui.console.widgets.cells import fit
from transcoder_tui.errors import Fault

LOOK_S = 0.2
"""Seconds between two looks at the task: as smooth as a count has to be, and light on a slow line."""
LONGEST_NAME = 24
"""Cells that the names of failed channels take at the most."""
ALIKE = 3
"""Channels that are listed by themselves although they failed for the same reason."""


class BulkScreen(ModalScreen[None]):
    """Shows a task while it is carried out. Left with escape, it goes on in the background.

    Args:
        batch: The task.
        retry: Carries it out again for those that failed.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "Close", show=False),
        Binding("x,ctrl+c", "cancel", "Cancel the rest", show=False),
        Binding("r", "retry", "Retry those that failed", show=False),
        Binding("up,k", "scroll(-1)", "Up", show=False),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("pageup", "scroll(-10)", "Page up", show=False),
        Binding("pagedown,space", "scroll(10)", "Page down", show=False),
    ]

    def __init__(self, batch: Batch, retry: Callable[[Batch], object]) -> None:
        super().__init__()
        self.bulk = batch
        self._retry = retry
        self._listed = (-1, 0)

    def compose(self) -> ComposeResult:
        """How far it is, and what failed."""
        with Vertical(classes="dialog -wide", id="bulk") as dialog:
            name = self.bulk.task.name
            dialog.border_title = Content(f"{name[:1].upper()}{name[1:]}: {self.bulk.total} channels").markup
            yield Static(markup=False, id="bulk-bar")
            yield Static(markup=False, id="bulk-counts")
            yield Static(markup=False, id="bulk-state")
            with VerticalScroll(can_focus=False, id="bulk-failures"):
                yield Static(markup=False, id="bulk-failed")

    def on_mount(self) -> None:
        """Looks at the task from time to time."""
        self.set_interval(LOOK_S, self.show)
        self.call_after_refresh(self.show)

    def on_resize(self) -> None:
        """Breaks long lines anew."""
        self.call_after_refresh(self.show)

    def show(self) -> None:
        """Draws how it is by now."""
        batch = self.bulk
        dialog = self.query_one("#bulk")
        dialog.set_class(batch.is_over and bool(batch.failures), "-bad")
        dialog.border_subtitle = self._keys()
        room = self.query_one("#bulk-bar").size.width
        self.query_one("#bulk-bar", Static).update(bar(batch, room))
        self.query_one("#bulk-counts", Static).update(counts(batch))
        self.query_one("#bulk-state", Static).update(state(batch))
        if (len(batch.failures), room) == self._listed:
            return
        self._listed = len(batch.failures), room
        self.query_one("#bulk-failures").display = bool(batch.failures)
        failed = Content("\n").join(failure_lines(batch.failures, room - 1))
        self.query_one("#bulk-failed", Static).update(failed)

    def _keys(self) -> str:
        batch = self.bulk
        if batch.is_over:
            return "r retries those that failed, esc closes" if batch.failures else "esc closes"
        return (
            "x cancels the rest, esc: goes on in the background" if batch.waiting else "esc: goes on in the background"
        )

    def action_close(self) -> None:
        """Leaves it to itself."""
        self.dismiss()

    def action_cancel(self) -> None:
        """Drops what is not begun."""
        self.bulk.cancel()
        self.show()

    def action_retry(self) -> None:
        """Those that failed once more."""
        if self.bulk.is_over and self.bulk.failures:
            self._retry(self.bulk)
            self.show()

    def action_scroll(self, lines: int) -> None:
        """Scrolls through many failures."""
        self.query_one("#bulk-failures").scroll_relative(y=lines, animate=False)


def bar(batch: Batch, room: int) -> Content:
    """What is done, has failed and is left, as shares of a line; and how much of it all that is."""
    answered = batch.done + len(batch.failures) + batch.dropped
    share = f"{100 * answered // batch.total:4} %"
    width = max(0, room - len(share))
    done = width * batch.done // batch.total
    failed = -(-width * len(batch.failures) // batch.total)
    failed = min(failed, width - done)
    left = width - done - failed
    return Content.assemble(("█" * done, "$success"), ("▒" * failed, "$error"), ("░" * left, "$foreground 40%"), share)


def counts(batch: Batch) -> Content:
    """The same as numbers."""
    parts: list[Content | tuple[str, str] | str] = [("✓ ", "$success"), f"{batch.done} done"]
    if batch.failures:
        parts += ["   ", ("✖ ", "$error"), f"{len(batch.failures)} failed"]
    if batch.underway:
        parts += ["   ", ("◍ ", "$primary"), f"{batch.underway} under way"]
    if batch.waiting:
        parts += ["   ", ("○ ", "$foreground 60%"), f"{batch.waiting} to go"]
    if batch.dropped:
        parts += ["   ", ("○ ", "$foreground 60%"), f"{batch.dropped} left as they were"]
    return Content.assemble(*parts)


def state(batch: Batch) -> Content:
    """How fast it goes and how long it will take, or how it ended."""
    took = written.duration(batch.elapsed_s)
    if batch.is_over:
        return Content.styled(f"{batch.summary()}, in {took}", "bold")
    words = f"{took} so far"
    if batch.pace:
        left_s = batch.left / batch.pace
        pace = f"{batch.pace:.1f} a second" if batch.pace >= 1 else f"{60 * batch.pace:.0f} a minute"
        words += f", {pace}, about {written.duration(left_s + 1)} left"
    return Content.styled(words, "$foreground 70%")


def failure_lines(failures: list[Failure], room: int) -> Iterator[Content]:
    """Each failure with its channel, reason and remedy, the reasons below each other.

    Many for the same reason, as where the worker is gone, have it said once, with all their names.
    """
    alike: dict[tuple[Fault, ...], list[str]] = {}
    for failure in failures:
        alike.setdefault(failure.faults, []).append(failure.channel.name)
    heads = [
        (f"{len(names)} channels", faults, names) if len(names) > ALIKE else (name, faults, [])
        for faults, names in alike.items()
        for name in (names[:1] if len(names) > ALIKE else names)
    ]
    width = min(LONGEST_NAME, max((cell_len(head) for head, _, _ in heads), default=0))
    for head, faults, names in heads:
        yield from _failure(fit(head, width), faults, ", ".join(names), room)


def _failure(name: str, faults: tuple[Fault, ...], names: str, room: int) -> Iterator[Content]:
    indent = cell_len(name) + 4
    space = max(10, room - indent)
    head = Content.assemble(("✖ ", "$error"), (name, "bold"), "  ")
    for fault in faults:
        where = f"{fault.field}: " if fault.field else ""
        for part in Content(f"{where}{fault.fault}").wrap(space):
            yield head + part
            head = Content(" " * indent)
        if fault.remedy:
            first, *more = Content(fault.remedy).wrap(max(10, space - 2))
            yield Content.assemble(head, ("→ ", "$success"), first)
            yield from (Content(" " * (indent + 2)) + part for part in more)
    if names:
        yield from (head + part for part in Content.styled(names, "$foreground 70%").wrap(space))
