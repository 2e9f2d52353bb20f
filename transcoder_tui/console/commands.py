"""Carries out what was typed into the command line. Each verb is a method that understands first and acts later."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from transcoder_tui.console import command_line
from transcoder_tui.console.query import matching, unquoted
from transcoder_tui.console.state import SORT_KEYS
from transcoder_tui.console.theme import NAMES
from transcoder_tui.errors import InvalidInput

if TYPE_CHECKING:
    from transcoder_tui.console.app import ConsoleApp
    from transcoder_tui.console.orders import Order
    from transcoder_tui.models.view import ChannelView

Act = Callable[[], None]


class Commands:
    """What the verbs of :data:`transcoder_tui.console.command_line.VERBS` do.

    Args:
        app: What they are done to.
    """

    def __init__(self, app: "ConsoleApp") -> None:
        self._app = app
        self._rack = app.rack

    def prepare(self, line: str) -> Act:
        """Understands a line.

        Returns:
            What carries it out.

        Raises:
            InvalidInput: Where it cannot be carried out as it stands.
        """
        verb, argument = command_line.read(line)
        if verb.writes and self._app.read_only:
            raise InvalidInput("this console is read-only", "start one without --read-only")
        understand = cast("Callable[[str], Act]", getattr(self, f"_{verb.name}"))
        return understand(argument)

    # Channels

    def _start(self, argument: str) -> Act:
        return self._order("start", argument)

    def _stop(self, argument: str) -> Act:
        return self._order("stop", argument)

    def _restart(self, argument: str) -> Act:
        return self._order("restart", argument)

    def _delete(self, argument: str) -> Act:
        return self._order("delete", argument)

    def _order(self, order: "Order", argument: str) -> Act:
        rows = self._rows(argument)
        return lambda: self._app.order(order, rows)

    def _acknowledge(self, argument: str) -> Act:
        rows = self._rows(argument)
        return lambda: self._app.acknowledge(rows)

    def _group(self, argument: str) -> Act:
        rows = self._rows("")
        name = unquoted(argument)
        return lambda: self._app.set_group(rows, name) if name else self._app.ask_group(rows)

    def _new(self, _: str) -> Act:
        return lambda: self._app.open_form("new", None)

    def _edit(self, argument: str) -> Act:
        row = self._row(argument)
        return lambda: self._app.open_form("edit", row)

    def _clone(self, argument: str) -> Act:
        row = self._row(argument)
        return lambda: self._app.open_form("clone", row)

    def _undo(self, _: str) -> Act:
        return self._app.undo

    def _export(self, argument: str) -> Act:
        which, path = command_line.file(argument)
        marked = self._rack.targets() if self._rack.marks else []
        rows = command_line.channels(which, self._rack) if which else marked
        return lambda: self._app.export_lineup(rows, path)

    def _import(self, argument: str) -> Act:
        which, path = command_line.file(argument)
        if which:
            raise InvalidInput(
                f"import takes one file, and {which!r} stands before it", 'write a path with blanks in "'
            )
        return lambda: self._app.import_lineup(path)

    def _probe(self, argument: str) -> Act:
        from transcoder_tui.models.faults import parse
        from transcoder_tui.models.source import Source

        source = parse(Source, {"url": argument})
        return lambda: self._app.probe(source)

    # The table

    def _goto(self, argument: str) -> Act:
        row = command_line.channel(argument, self._rack)
        return lambda: self._app.show_channel(row)

    def _mark(self, argument: str) -> Act:
        rows = self._matching(argument)
        return self._changing(lambda: self._rack.marks.update(row.id for row in rows))

    def _unmark(self, argument: str) -> Act:
        rows = self._matching(argument)
        return self._changing(lambda: self._rack.marks.difference_update(row.id for row in rows))

    def _filter(self, argument: str) -> Act:
        matching(argument, ())
        return self._changing(lambda: self._rack.narrow(argument))

    def _sort(self, argument: str) -> Act:
        column = command_line.named(argument, SORT_KEYS, "column")
        return lambda: self._app.sort_by(column)

    def _changing(self, change: Callable[[], object]) -> Act:
        """Changes the table, and shows it."""

        def act() -> None:
            change()
            self._app.show_table()

        return act

    # Screens

    def _channels(self, _: str) -> Act:
        return lambda: self._app.open_view("channels")

    def _channel(self, argument: str) -> Act:
        row = self._row(argument)

        def act() -> None:
            self._app.show_channel(row)
            self._app.open_view("channel")

        return act

    def _events(self, _: str) -> Act:
        return lambda: self._app.open_view("events")

    def _system(self, _: str) -> Act:
        return lambda: self._app.open_view("system")

    def _ladders(self, _: str) -> Act:
        return lambda: self._app.open_view("ladders")

    def _settings(self, _: str) -> Act:
        return lambda: self._app.open_view("settings")

    def _help(self, _: str) -> Act:
        return self._app.open_help

    # The console

    def _theme(self, argument: str) -> Act:
        name = command_line.named(argument, NAMES, "theme")
        return lambda: self._app.choose_theme(name)

    def _bell(self, argument: str) -> Act:
        on = command_line.switched(argument)
        return lambda: self._app.preferences.keep(bell=on)

    def _flash(self, argument: str) -> Act:
        on = command_line.switched(argument)
        return lambda: self._app.preferences.keep(flash=on)

    def _quit(self, _: str) -> Act:
        return self._app.ask_to_leave

    # What an argument means

    def _matching(self, argument: str) -> "list[ChannelView]":
        rows = matching(argument, self._rack.channels.values())
        if not rows:
            raise InvalidInput(f"no channel matches {argument!r}", "try it as a filter, with /")
        return rows

    def _rows(self, argument: str) -> "list[ChannelView]":
        if argument:
            return command_line.channels(argument, self._rack)
        return self._rack.targets() or [self._row("")]

    def _row(self, argument: str) -> "ChannelView":
        if argument:
            return command_line.channel(argument, self._rack)
        if words := self._rack.unchosen():
            raise InvalidInput(words.rstrip(".").lower(), "name a channel")
        current = self._rack.current
        assert current is not None, "then it says so"
        return current
