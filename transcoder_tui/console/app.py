"""The console: the app that holds the rack, stays connected to the worker and opens screens."""

import gc
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from rich.console import RenderableType
from textual import work
from textual._compositor import CompositorUpdate
from textual.binding import BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer, TimerCallback

from transcoder_tui.console import alarms, hangup, orders, sources
from transcoder_tui.console import format as written
from transcoder_tui.console.actions import bindings_for
from transcoder_tui.console.ascii import AsciiFilter, needs_ascii
from transcoder_tui.console.batch import Batch
from transcoder_tui.console.canvas import Difference
from transcoder_tui.console.edge import Edge
from transcoder_tui.console.keys_in_order import KeysInOrder
from transcoder_tui.console.link import WAITS_S, Link, Lost
from transcoder_tui.console.preferences import Preferences, kept_file, written_file
from transcoder_tui.console.sanitise import clean
from transcoder_tui.console.screens.main import MainScreen
from transcoder_tui.console.screens.view import View
from transcoder_tui.console.state import Rack
from transcoder_tui.console.terminal import PatientDriver
from transcoder_tui.console.theme import NAMES, NIGHT, SIXTEEN, THEMES, needs_sixteen
from transcoder_tui.errors import Conflict, Fault, TranscoderError

if TYPE_CHECKING:
    from transcoder_tui.client.client import WorkerClient
    from transcoder_tui.console.actions import Action, ViewName
    from transcoder_tui.console.configuration import Configuration
    from transcoder_tui.console.keymap import Keymap
    from transcoder_tui.console.screens.probe import Taken
    from transcoder_tui.models.ladder import Ladder
    from transcoder_tui.models.source import Source
    from transcoder_tui.models.view import ChannelView, Delta, Snapshot

WEB_DRIVER = "web_driver"
"""In the name of the driver with which Textual draws in a browser, where there is no terminal that could hang up."""

FormKind = Literal["new", "edit", "clone"]


class Told(Message):
    """The worker said something, or could not be heard."""

    def __init__(self, what: "Snapshot | Delta | Lost") -> None:
        self.what = what
        super().__init__()


class ConsoleApp(KeysInOrder[str]):
    """A client of the worker's API and nothing else: it may be killed or stalled without effect on any channel.

    Args:
        connect: Makes the client; called after the first paint, in a thread.
        ascii_only: Draws with ASCII only.
        read_only: Takes no order that changes anything.
        notice: What to tell the operator at the start.
        clock: Seconds that only grow, for the age of what is shown while the worker does not answer.
        waits: Seconds before each further attempt to reach the worker.
        preferences: What the operator has set for his consoles; without them nothing is read or kept.
    """

    CSS_PATH: ClassVar[list[str | PurePath]] = [
        "app.tcss",
        "screens/main.tcss",
    ]  # Textual loads no default screen's own CSS
    TITLE = "transcoder-tui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("console")]

    def __init__(
        self,
        connect: "Callable[[], WorkerClient]",
        *,
        ascii_only: bool = False,
        read_only: bool = False,
        notice: str = "",
        clock: Callable[[], float] = time.monotonic,
        waits: Sequence[float] = WAITS_S,
        preferences: Preferences | None = None,
    ) -> None:
        sixteen = needs_sixteen(os.environ)
        super().__init__(ansi_color=True if sixteen else None)
        for theme in THEMES.values():
            self.register_theme(theme)
        self.preferences = preferences or Preferences()
        """What the operator has set for his consoles, and what they keep for him."""
        chosen = self.preferences.theme
        self.theme = chosen if chosen in NAMES else SIXTEEN if sixteen else NIGHT.name
        self._colours = self.get_css_variables()
        self.stylesheet.set_variables(self._colours)
        self._own_keys: Keymap = {}
        if self.preferences.keys:
            from transcoder_tui.console.keymap import own_keys

            self._own_keys, clashes = own_keys(self.preferences.keys)
            self.preferences.notices += clashes
        if chosen and chosen not in NAMES:
            self.preferences.notices.append(f"There is no theme {clean(chosen)!r}; there are {', '.join(NAMES)}.")
        self.animation_level = "none"
        self.rack = Rack()
        self.rack.sort_as(self.preferences.sort, reverse=self.preferences.reverse)
        self.read_only = read_only
        self.ascii_only = ascii_only
        self._ascii = [AsciiFilter()] if ascii_only else []
        self._notice = notice
        self._clock = clock
        self._link = Link(connect, waits)
        self.opening = False
        """Whether a form or dialog is on its way. Keys typed ahead of it are not meant for the rack."""
        self._lost: Fault | None = None
        self._heard_at: float | None = None
        self._main = MainScreen(self.rack, read_only=read_only)
        self._last_view: ViewName = "channels"
        self._siren = alarms.Siren()
        self._batches: list[Batch] = []
        """Orders for many channels that are under way, or whose end nobody has seen yet."""

    @property
    def edge(self) -> Edge | None:
        """The worker, once a client could be made."""
        return self._link.edge

    def get_default_screen(self) -> Screen[None]:
        """The rack."""
        return self._main

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What is applied to every line on its way to the terminal."""
        return [*super().get_line_filters(), *self._ascii]

    def on_ready(self) -> None:
        """Connects, now that something is on the screen."""
        gc.enable()
        if not self.is_headless:
            hangup.leave_on_signals(self.leave)
        self.set_keymap({binding: ",".join(keys) for binding, keys in self._own_keys.items()})
        for words in filter(None, [self._notice, *self.preferences.notices]):
            self.notify(words, markup=False)
        self.preferences.tell = lambda words: self.notify(words, severity="warning", markup=False)
        self.set_interval(1.0, self._show_age)
        self.set_interval(1.0, self._show_progress)
        self.set_interval(1.0, self._catch_up)
        self._follow()

    def refresh_css(self, animate: bool = True) -> None:
        """Reads the styles again where the colours are others: at the start they have just been read."""
        colours = self.get_css_variables()
        if colours != self._colours:
            self._colours = colours
            super().refresh_css(animate=animate)

    def set_timer(
        self,
        delay: float,
        callback: TimerCallback | None = None,
        *,
        name: str | None = None,
        pause: bool = False,
    ) -> Timer:
        """Calls something once after a delay, however late.

        Textual's timers skip what they are too late for, also the only call of one that has no other: where the machine
        held the console up for 8 ms at the wrong moment, no new size of the terminal was ever drawn.
        """
        timer = super().set_timer(delay, callback, name=name, pause=pause)
        timer._skip = False
        return timer

    def get_driver_class(self) -> type[Driver]:
        """What draws: Textual's own in a browser, else one that does not wait for the terminal."""
        return super().get_driver_class() if WEB_DRIVER in os.environ.get("TEXTUAL_DRIVER", "") else PatientDriver

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Sends the terminal what it does not show yet."""
        if isinstance(self._driver, PatientDriver) and isinstance(renderable, CompositorUpdate):
            renderable = Difference(renderable, self._driver.canvas)
        super()._display(screen, renderable)

    def on_resize(self) -> None:
        """Draws everything anew: nobody knows what a terminal shows after it had another size."""
        self.action_redraw()

    def action_redraw(self) -> None:
        """Draws everything anew."""
        if isinstance(self._driver, PatientDriver):
            self._driver.canvas.forget()
        self.screen.refresh()

    def _catch_up(self) -> None:
        """Draws everything anew where the terminal could not take a part of it, and now can."""
        if isinstance(self._driver, PatientDriver) and self._driver.catches_up():
            self.refresh(layout=True)

    async def on_unmount(self) -> None:
        """Ends the connection."""
        await self._link.close()

    # The worker

    @work(group="stream")
    async def _follow(self) -> None:
        async for what in self._link.follow():
            self.post_message(Told(what))

    def on_told(self, message: Told) -> None:
        """Folds what the worker said into the rack and shows it."""
        what = message.what
        if isinstance(what, Lost):
            self._lost = what.fault
            self._show_age()
            return
        back = self._lost is not None and self._heard_at is not None
        self._lost = None
        self._heard_at = self._clock()
        if what.type == "snapshot":
            change = self.rack.fold_snapshot(what)
            gc.freeze()  # to look through all that stays for as long as the console does takes 30 ms, every few seconds
        else:
            change = self.rack.fold_delta(what)
        for view in self._views():
            view.show_change(change)
        if self._siren.hears(self.rack.tally.troubled, self._clock()):
            self._ring()
        if back:
            self.notify("The worker answers again.", markup=False)

    def _show_age(self) -> None:
        if self._lost is None:
            return
        seen = ""
        if self._heard_at is not None:
            seen = f" - last heard {written.duration(self._clock() - self._heard_at)} ago"
        advice = f"{self._lost.fault}\n{self._lost.remedy}"
        for view in self._views():
            view.show_lost(f"worker does not answer{seen} - channels stay on air", advice)

    # Alarms

    def _ring(self) -> None:
        if not isinstance(self.screen, View):
            self.notify("There is a new alarm.", severity="warning", markup=False)
        if self.preferences.bell:
            self.bell()
        if self.preferences.flash:
            for view in self._views():
                view.flash()

    def acknowledge(self, channels: "list[ChannelView]") -> None:
        """Says that the alarms of channels have been seen."""
        if not channels or not self.may_write():
            return
        if alarmed := alarms.alarmed(channels):
            self._acknowledge(alarmed)
        else:
            self.notify("No alarm to acknowledge.", markup=False)

    @work(group="orders")
    async def _acknowledge(self, channels: "list[ChannelView]") -> None:
        if self.edge is None:
            return
        failed = await alarms.acknowledge(self.edge, channels)
        if well := len(channels) - len(failed):
            names = orders.named([row.name for row in channels]) if not failed else written.plural(well, "channel")
            self.notify(f"Acknowledged: {names}", markup=False)
        if failed:
            self.show_faults("Could not acknowledge", failed)

    def go_to_alarm(self) -> None:
        """Jumps to the next channel with an alarm that nobody has acknowledged, be it hidden by the filter."""
        row = alarms.next_alarmed(self.rack.tally.troubled, self.rack.cursor)
        if row is None:
            self.notify(alarms.NONE_LEFT, markup=False)
            return
        self.show_channel(row)

    def show_channel(self, row: "ChannelView") -> None:
        """Puts the cursor on a channel, be it hidden by the filter, and shows it in the open screen or in the table."""
        if row.id not in self.rack.shown:
            self.rack.narrow("")
            self.notify(f"The filter is cleared: it hid {row.name}.", markup=False)
        self.view.go_to(row.id)

    def sort_by(self, column: str) -> None:
        """Sorts the table, now and in the operator's next console."""
        self.rack.sort_by(column)
        self.preferences.keep(sort=self.rack.sort, reverse=self.rack.reverse)
        self.show_table()

    def show_table(self) -> None:
        """Opens the table, and draws what was changed in it."""
        self.open_view("channels")
        self._main.show_everything()

    def choose_theme(self, name: str) -> None:
        """Takes other colours, now and in the operator's next console."""
        self.theme = name
        self.preferences.keep(theme=name)

    def go_to_channel(self, channel_id: int) -> None:
        """Opens the table with the cursor on a channel."""
        self.open_view("channels")
        self._main.choose(channel_id)

    # Orders

    def order(self, order: orders.Order, channels: "list[ChannelView]") -> None:
        """Gives an order, after asking where something is on air or where it is for many."""
        if self.may_write() and channels:
            self._ask_and_do(orders.TASKS[order], channels, orders.question(order, channels, self._hidden(channels)))

    def set_group(self, channels: "list[ChannelView]", group: str | None) -> None:
        """Puts channels into a group, after asking where they are many.

        Args:
            channels: Which.
            group: Its name; None takes them out of theirs.
        """
        fault = orders.group_fault(group) if group is not None else None
        if fault is not None:
            self.show_faults("There can be no such group", [fault])
        elif self.may_write() and channels:
            asked = orders.group_question(group, channels, self._hidden(channels))
            self._ask_and_do(orders.regrouping(group), channels, asked)

    def ask_group(self, channels: "list[ChannelView]") -> None:
        """Asks for a group, and puts channels into it."""
        if self.may_write() and channels:
            self.opening = True
            self._ask_group(channels)

    def put_ladder(self, ladder: "Ladder", channels: "list[ChannelView]") -> None:
        """Puts a ladder in the place of the renditions of channels, after asking."""
        if self.may_write() and self.edge is not None:
            self.opening = True
            self._put_ladder(ladder, channels, self.edge)

    @work(group="orders")
    async def _put_ladder(self, ladder: "Ladder", channels: "list[ChannelView]", edge: Edge) -> None:
        from transcoder_tui.console import ladder_use

        try:
            stored = {document.id: document for document in await edge.channels()}
        except TranscoderError as error:
            self.opening = False
            self.show_faults(error.title, error.faults)
            return
        asked = ladder_use.question(ladder, channels, stored, self._hidden(channels))
        self._ask_and_do(ladder_use.putting(ladder), channels, asked)

    def _hidden(self, channels: "list[ChannelView]") -> int:
        return len({row.id for row in channels}.difference(self.rack.shown))

    @work(group="orders")
    async def _ask_group(self, channels: "list[ChannelView]") -> None:
        from transcoder_tui.console.screens.group import GroupScreen

        known = list(self.rack.channels.values())
        unseen = orders.unseen(self._hidden(channels)) if len(channels) > 1 else ""
        group = await self.push_screen_wait(GroupScreen(channels, known, unseen))
        self.opening = False
        if group is not None:
            await self._do(orders.regrouping(group or None), channels)

    def _ask_and_do(self, task: orders.Task, channels: "list[ChannelView]", asked: orders.Question | None) -> None:
        self.opening = asked is not None
        self._ask_then_do(task, channels, asked)

    @work(group="orders")
    async def _ask_then_do(
        self, task: orders.Task, channels: "list[ChannelView]", asked: orders.Question | None
    ) -> None:
        from transcoder_tui.console.screens.confirm import ConfirmScreen

        confirmed = asked is None or await self.push_screen_wait(ConfirmScreen(asked))
        self.opening = False
        if confirmed:
            await self._do(task, channels)

    async def _do(self, task: orders.Task, channels: "list[ChannelView]") -> None:
        """Does something to a few channels, or to many under the operator's eyes."""
        edge = self.edge
        if edge is None:
            return
        batch = Batch(task, channels, self._clock)
        if batch.total > orders.FEW:
            self._batches.append(batch)
            self.open_batch()
            await self._carry_out(batch, edge)
            return
        await batch.run(edge)
        if batch.done:
            names = orders.named(batch.names) if not batch.failures else written.plural(batch.done, "channel")
            self.notify(f"{task.done}: {names}", markup=False)
        if batch.failures:
            self.show_faults(f"Could not {task.name}", batch.faults())

    async def _carry_out(self, batch: Batch, edge: Edge) -> None:
        await batch.run(edge)
        if not self._is_open(batch):
            if batch.failures:
                self.notify(f"{batch.summary()}: b shows them.", severity="warning", markup=False)
            else:
                self._batches.remove(batch)
                self.notify(batch.summary(), markup=False)
        self._show_progress()

    @work(group="orders")
    async def _retry(self, batch: Batch) -> None:
        if self.edge is not None:
            batch.take_up_failed()
            await self._carry_out(batch, self.edge)

    def open_batch(self) -> None:
        """Shows how far the latest order for many channels is."""
        from transcoder_tui.console.screens.bulk import BulkScreen

        if not self._batches:
            self.notify("No order for many channels is under way.", markup=False)
            return
        batch = self._batches[-1]
        self.push_screen(BulkScreen(batch, self._retry), lambda _: self._leave_batch(batch))

    def _leave_batch(self, batch: Batch) -> None:
        """Forgets one that is over, now that the operator has seen how it ended."""
        if batch.is_over and batch in self._batches:
            self._batches.remove(batch)
        self._show_progress()

    def _is_open(self, batch: Batch) -> bool:
        return any(getattr(screen, "bulk", None) is batch for screen in self.screen_stack)

    @property
    def progress(self) -> str:
        """How far the latest order for many channels is; empty where there is none, or its dialog says it."""
        if not self._batches or self._is_open(self._batches[-1]):
            return ""
        more = f", and {len(self._batches) - 1} more" if len(self._batches) > 1 else ""
        return f"{self._batches[-1].progress()}{more}"

    def _show_progress(self) -> None:
        for view in self._views():
            view.show_progress(self.progress)

    def change_source(self, channel: "ChannelView") -> None:
        """Changes a channel to another of its sources, after asking to which."""
        if not self.may_write() or self.edge is None:
            return
        if refused := sources.refusal(channel):
            self.notify(refused, severity="warning", markup=False)
            return
        self.opening = True
        self._change_source(self.edge, channel.id)

    @work(group="orders")
    async def _change_source(self, edge: Edge, channel_id: int) -> None:
        try:
            listed = await sources.fetched(edge, channel_id)
            row = self.rack.channels.get(channel_id)
            target = await self._ask_for_source(row, listed) if row is not None else None
            if row is None or target is None:
                return
            order = await edge.switch(channel_id, target)
        except TranscoderError as error:
            self.show_faults("Could not change the source", error.faults)
            return
        finally:
            self.opening = False
        self.notify(sources.done(row, target, changed=order.changed), markup=False)

    async def _ask_for_source(self, row: "ChannelView", listed: Sequence[str]) -> int | None:
        if len(listed) != row.sources:
            raise Conflict(f"the sources of {row.name} have just been changed", "look at them, then ask again")
        if row.sources > 2:
            from transcoder_tui.console.screens.source import SourceScreen

            return await self.push_screen_wait(SourceScreen(row, listed))
        from transcoder_tui.console.screens.confirm import ConfirmScreen

        other = 1 - row.source_index
        confirmed = await self.push_screen_wait(ConfirmScreen(sources.question(row, listed, other)))
        return other if confirmed else None

    def may_write(self) -> bool:
        """Whether this console may change something; where it may not, the operator is told why."""
        if self.read_only:
            self.notify("This console is read-only: it was started with --read-only.", severity="warning", markup=False)
        return not self.read_only

    def show_faults(self, title: str, faults: Sequence[Fault]) -> None:
        """Shows what went wrong and what would be right, all of it in one dialog."""
        from transcoder_tui.console.screens.fault import FaultScreen

        self.push_screen(FaultScreen(title, faults))

    # Screens

    @property
    def view(self) -> View:
        """The screen with a number that is open, be it below a dialog."""
        return next(screen for screen in reversed(self.screen_stack) if isinstance(screen, View))

    def _views(self) -> list[View]:
        """Those that have something to draw on: the rack, and what lies over it."""
        views = [screen for screen in self.screen_stack if isinstance(screen, View)]
        return [view for view in views if view.is_mounted and view.is_running]

    def open_view(self, name: "ViewName") -> None:
        """Opens a screen by its name, in the place of the one that is open."""
        open_now = self.view
        if name == open_now.VIEW:
            return
        self._last_view = open_now.VIEW
        if name == "channels":
            self.pop_screen()
            return
        view: View = _view_class(name)(self.rack, read_only=self.read_only)
        if open_now is self._main:
            self.push_screen(view)
        else:
            self.switch_screen(view)

    def open_last_view(self) -> None:
        """Back to the screen that was open before."""
        self.open_view(self._last_view)

    def open_form(self, kind: FormKind, channel: "ChannelView | None", **parts: list[dict[str, Any]]) -> None:
        """Opens the form on a new channel, on one to edit, or on a copy of one.

        Args:
            kind: Which of these.
            channel: The one to edit or to copy.
            parts: What a new one begins with instead of the usual: its ``sources``, its ``renditions``.
        """
        if self.may_write() and self.edge is not None:
            self.opening = True
            self._open_form(kind, channel, parts)

    @work(group="form", exclusive=True)
    async def _open_form(
        self, kind: FormKind, channel: "ChannelView | None", parts: dict[str, list[dict[str, Any]]]
    ) -> None:
        from transcoder_tui.console.screens.form import FormScreen

        edge = self.edge
        if edge is None:
            return
        try:
            document = await edge.channel(channel.id) if channel is not None else None
            saved = await self.push_screen_wait(FormScreen(edge, kind, document, channel, parts))
        except TranscoderError as error:
            self.show_faults(error.title, error.faults)
            return
        finally:
            self.opening = False
        if saved is not None:
            self._main.choose(saved.channel.id)
            self.notify(saved.words, markup=False)
            if warnings := saved.channel.warnings:
                from transcoder_tui.console.reviews import warned
                from transcoder_tui.console.screens.review import ReviewScreen

                self.push_screen(ReviewScreen(warned(f"{saved.channel.spec['name']} is stored", warnings)))

    def open_command(self, channel: "ChannelView") -> None:
        """Opens the FFmpeg command of a channel."""
        if self.edge is not None:
            self._open_command(channel)

    @work(group="command", exclusive=True)
    async def _open_command(self, channel: "ChannelView") -> None:
        from transcoder_tui.console.screens.command import CommandScreen

        edge = self.edge
        if edge is None:
            return
        try:
            command = await edge.command(channel.id)
        except TranscoderError as error:
            self.show_faults(error.title, error.faults)
            return
        self.push_screen(CommandScreen(channel.name, command))

    def probe(self, source: "Source") -> None:
        """Looks into a source that no channel need have."""
        from transcoder_tui.console.screens.probe import ProbeScreen
        from transcoder_tui.models.probe import DEFAULT_TIME_S

        if self.edge is not None:
            document = source.model_dump(mode="json", exclude_none=True)

            def take(taken: "Taken | None") -> None:
                if taken is not None:
                    chosen = {"program": taken.program.number} if taken.program else {}
                    self.open_form("new", None, sources=[{**document, **chosen}])

            taking = "" if self.read_only else "return makes a channel with it"
            self.push_screen(ProbeScreen(self.edge, document, source.words, DEFAULT_TIME_S, taking), take)

    def keys_of(self, action: "Action") -> tuple[str, ...]:
        """The keys of an action: the user's own, else those that it comes with."""
        return self._own_keys.get(action.binding_id, action.keys)

    def probe_address(self) -> None:
        """Asks for an address, and looks into what it carries."""
        from transcoder_tui.console.screens.entry import EntryScreen
        from transcoder_tui.models.faults import parse
        from transcoder_tui.models.source import Source

        def source_of(text: str) -> Source:
            url, _, interface = text.partition(" ")
            return parse(Source, {"url": url, **({"interface": interface.strip()} if interface else {})})

        def look(text: str | None) -> None:
            if text is not None:
                self.probe(source_of(text))

        about = "Address of a source; behind it, where it is multicast, the interface:"
        self.push_screen(EntryScreen("Probe", about, source_of, example="udp://239.1.1.1:5000 eth1"), look)

    # The configuration

    def undo(self) -> None:
        """Takes the last change of the configuration back, after showing what that does."""
        if self.may_write():
            self._configure(lambda configuration: configuration.undo())

    def export_lineup(self, channels: "list[ChannelView]", path: str) -> None:
        """Writes channels, all where none is given, as a line-up file."""
        self._configure(lambda configuration: configuration.export(channels, path))

    def import_lineup(self, path: str, title: str = "") -> None:
        """Applies a line-up file, after showing what it changes; ``title`` asks something else than whether to."""
        if self.may_write():
            self._configure(lambda configuration: configuration.import_(path, title))

    def ask_export(self, channels: "list[ChannelView]") -> None:
        """Asks where to write channels, all where none is given."""
        from transcoder_tui.console.screens.entry import EntryScreen, FileNames

        count = written.plural(len(channels) or len(self.rack.channels), "channel")
        about = f"Write {count} as a line-up to this file, readable for you only:"
        asked = EntryScreen("Export", about, str, value="line-up.yaml", suggester=FileNames())
        self.push_screen(asked, lambda path: self.export_lineup(channels, path) if path else None)

    def ask_import(self) -> None:
        """Asks for a line-up file to apply."""
        from transcoder_tui.console.screens.entry import EntryScreen, FileNames

        if self.may_write():
            about = "Line-up file; what it changes is shown before anything is done:"
            asked = EntryScreen("Import", about, str, example="~/line-up.yaml", suggester=FileNames())
            self.push_screen(asked, lambda path: self.import_lineup(path) if path else None)

    def import_demonstration(self) -> None:
        """Applies the line-up that comes along, after asking."""
        from transcoder_tui.shipped import shipped_file

        self.import_lineup(str(shipped_file("lineups/demo.yaml")), "Start the demonstration?")

    @work(group="orders")
    async def _configure(self, carry_out: "Callable[[Configuration], Awaitable[None]]") -> None:
        from transcoder_tui.console.configuration import Configuration

        if self.edge is None:
            return
        self.opening = True
        try:
            await carry_out(Configuration(self, self.edge))
        except TranscoderError as error:
            self.show_faults(error.title, error.faults)
        finally:
            self.opening = False

    def open_help(self) -> None:
        """Opens the keys."""
        from transcoder_tui.console.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.view.VIEW))

    # Leaving

    def ask_to_leave(self) -> None:
        """Leaves, after asking where an order would be carried out by half only."""
        waiting = [batch for batch in self._batches if batch.waiting]
        if not waiting:
            self.leave()
            return
        from transcoder_tui.console.screens.confirm import ConfirmScreen

        def answer(leaves: bool | None) -> None:
            self.opening = False
            if leaves:
                self.leave()

        self.opening = True
        self.push_screen(ConfirmScreen(orders.leaving_question(waiting)), answer)

    async def action_quit(self) -> None:
        """Leaves by the framework's own key, ctrl+q, with the same words."""
        self.ask_to_leave()

    def action_help_quit(self) -> None:
        """Says how to leave, where ctrl+c does not because a dialog is open."""
        self.notify("Close this with esc; the console is left with q.", markup=False)

    def leave(self) -> None:
        """Leaves the console."""
        self.exit(parting_words(self.rack))


def _view_class(name: "ViewName") -> type[View]:
    """The screen of a name: ``EventsScreen`` of the module ``events``; imported when it is first opened."""
    module = import_module(f"transcoder_tui.console.screens.{name}")
    screen: type[View] = getattr(module, f"{name.capitalize()}Screen")
    return screen


def parting_words(rack: Rack) -> str:
    """What is said after leaving: which channels go on without the console."""
    if rack.worker is None:
        return ""
    live = rack.tally.live
    if not live:
        return "No channel is on air."
    return f"{written.plural(live, 'channel')} {'stays' if live == 1 else 'stay'} on air."


def run_console(
    client_factory: "Callable[[], WorkerClient]",
    *,
    ascii_only: bool = False,
    read_only: bool = False,
    notice: str = "",
) -> str:
    """Runs the console until the operator leaves it.

    Args:
        client_factory: Makes the client. It should import the client's module itself, because it is called after the
            first paint.
        ascii_only: Draws with ASCII only, also where the terminal could show more.
        read_only: Takes no order that changes anything.
        notice: What to tell the operator at the start, such as that a worker was started.

    Returns:
        The line to print afterwards, such as ``3 channels stay on air.``; empty where the worker never answered.

    Raises:
        HostFault: Where there is no terminal.
    """
    gc.disable()  # until something is on the screen: nothing of what is made before is garbage
    if WEB_DRIVER not in os.environ.get("TEXTUAL_DRIVER", ""):
        hangup.leave_with_terminal()
        ascii_only = ascii_only or needs_ascii(os.environ)
    preferences = Preferences.load(written_file(), kept_file())
    app = ConsoleApp(client_factory, ascii_only=ascii_only, read_only=read_only, notice=notice, preferences=preferences)
    return app.run() or ""
