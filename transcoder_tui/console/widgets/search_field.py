"""The field in which a text to look for is typed."""

from collections.abc import Callable

from textual.widgets import Input


class SearchField(Input):
    """Searches with every letter; the return key keeps what was typed.

    Args:
        text: What is searched for at present.
        search: Searches.
        leave: Goes back to the list.
    """

    def __init__(self, text: str, search: Callable[[str], None], leave: Callable[[], None]) -> None:
        super().__init__(
            text,
            placeholder="part of a channel's name, a message, a user",
            compact=True,
            select_on_focus=False,
            id="search",
        )
        self.cursor_blink = False
        self._search = search
        self._leave = leave

    def on_input_changed(self, event: Input.Changed) -> None:
        """Searches."""
        event.stop()
        self._search(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the list."""
        event.stop()
        self._leave()
