"""The field in which a filter is typed. It is made when it is asked for, which keeps it off the first paint."""

from collections.abc import Callable

from textual.widgets import Input


class FilterField(Input):
    """Narrows the table with every letter; the return key keeps the filter.

    Args:
        text: The filter that is in force.
        narrow: Narrows the table.
        leave: Goes back to it.
    """

    def __init__(self, text: str, narrow: Callable[[str], None], leave: Callable[[], None]) -> None:
        super().__init__(
            text,
            placeholder="part of a name, group, source or status",
            compact=True,
            select_on_focus=False,
            id="filter",
        )
        self.cursor_blink = False
        self._narrow = narrow
        self._leave = leave

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrows the table."""
        event.stop()
        self._narrow(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the table."""
        event.stop()
        self._leave()
