"""A section of a form: the lines of one model, the rarely used ones folded."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.containers import Grid, Vertical, VerticalScroll
from textual.widget import Widget

from transcoder_tui.console.form_fields import Entry, Path, put, value_at
from transcoder_tui.console.widgets.fold import Fold
from transcoder_tui.console.widgets.form_field import FormField, Names
from transcoder_tui.console.widgets.heading import Heading


class FormBody(VerticalScroll, can_focus=False, inherit_bindings=False):
    """All sections, below each other; what has the focus is kept in view."""


class FormSection(Vertical):
    """The lines of one model, or some of them: the channel itself, a source, a rendition, an output.

    Args:
        title: What it is, such as ``Source``.
        parts: The lines by their heading; those without one are always shown.
        document: What they hold at first.
        part: The field of the channel's list that it belongs to; empty for the channel itself.
        names: Names to complete to, by field name.
    """

    def __init__(
        self,
        title: str,
        parts: Mapping[str, Sequence[Entry]],
        document: dict[str, Any],
        part: str,
        names: dict[str, Names],
    ) -> None:
        super().__init__()
        self.part = part
        self._heading = Heading(title)
        self._lines = {
            entry.path: FormField(entry, value_at(document, entry), names.get(entry.path[-1]))
            for entry in parts.get("", ())
        }
        self._folds = [Fold(heading, entries, document) for heading, entries in parts.items() if heading]

    def compose(self) -> ComposeResult:
        """A heading, the fields in a grid, and the folds."""
        yield self._heading
        with Grid(classes="fields"):
            yield from self._lines.values()
        yield from self._folds

    @property
    def fields(self) -> dict[Path, FormField]:
        """The fields that were made by now."""
        return self._lines | {path: field for fold in self._folds for path, field in fold.fields.items()}

    def on_mount(self) -> None:
        """Shows only what belongs to the address."""
        self.show_belonging()

    def on_fold_toggled(self, event: Fold.Toggled) -> None:
        """Hides of the new lines what does not belong to the address."""
        event.stop()
        self.show_belonging()

    def show_heading(self, number: int | None, note: str) -> None:
        """Draws the heading.

        Args:
            number: Position in its list, from 1 on; None where there is no list.
            note: Keys that apply here.
        """
        name = self.fields.get(("name",))
        words = f"{number}" if number is not None else ""
        if name is not None and number is not None and name.value:
            words = f"{number}  {name.value}"
        self._heading.show(words, note)

    def show_belonging(self) -> None:
        """Hides the fields that the kind of address does not have, and those of a part that is switched off."""
        for field in self._lines.values():
            field.display = self._belongs(field.entry)
        for fold in self._folds:
            belonging = [entry.path for entry in fold.entries if self._belongs(entry)]
            fold.display = bool(belonging)
            for path, field in fold.fields.items():
                field.display = fold.is_open and path in belonging

    def document(self) -> dict[str, Any]:
        """What is filled in, as the model's document; without what is empty or hidden."""
        document: dict[str, Any] = {}
        for entry, value in self._values():
            if not self._belongs(entry):
                continue
            if entry.switches:
                put(document, entry.path, {} if value else None)
            elif value != "":
                put(document, entry.path, value)
        return document

    def _values(self) -> Iterator[tuple[Entry, Any]]:
        for field in self._lines.values():
            yield field.entry, field.value
        for fold in self._folds:
            for entry in fold.entries:
                yield entry, fold.value(entry)

    def field_for(self, steps: Sequence[str | int]) -> FormField | None:
        """The field to which a fault belongs, or the one whose part it concerns; opens the fold that it lies in."""
        path = tuple(str(step) for step in steps)
        for length in range(len(path), 0, -1):
            for fold in self._folds:
                if not fold.is_open and any(
                    entry.path == path[:length] for entry in fold.entries if self._belongs(entry)
                ):
                    fold.unfold()
                    self.show_belonging()
            field = self.fields.get(path[:length])
            if field is not None and field.display:
                return field
        return None

    def _belongs(self, entry: Entry) -> bool:
        switch = self._lines.get(entry.path[:-1])
        if switch is not None and switch.entry.switches and not switch.value:
            return False
        address = self._lines.get(("url",))
        if not entry.about.kinds or address is None:
            return True
        return str(address.value).partition("://")[0].lower() in entry.about.kinds


def section_around(widget: Widget | None) -> FormSection | None:
    """The section that a widget stands in."""
    while widget is not None and not isinstance(widget, FormSection):
        parent = widget.parent
        widget = parent if isinstance(parent, Widget) else None
    return widget
