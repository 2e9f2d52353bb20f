"""The line in which a filter is typed."""

from collections.abc import Callable

from transcoder_tui.console.preferences import Preferences
from transcoder_tui.console.query import completions
from transcoder_tui.console.state import Rack
from transcoder_tui.console.widgets.typed_line import TypedLine


class FilterField(TypedLine):
    """Narrows the table with every letter; the return key keeps the filter.

    Args:
        rack: What is filtered.
        preferences: Keep what was typed.
        show: Shows the table as it is narrowed.
        leave: Goes back to it.
    """

    def __init__(
        self, rack: Rack, preferences: Preferences, show: Callable[[], None], leave: Callable[[], None]
    ) -> None:
        super().__init__(
            "/",
            rack.filter,
            "news !ok src:239.1 status:error cpu>50 ~nws",
            lambda text: completions(text, rack.channels.values()),
            preferences.filters,
            id="filter",
        )
        self._rack = rack
        self._preferences = preferences
        self._show = show
        self._leave = leave

    def typed(self, text: str) -> None:
        """Narrows the table, or says why not."""
        self._narrow(text)

    def _narrow(self, text: str) -> bool:
        fault = self._rack.narrow(text)
        self.say(f"{fault.fault}: {fault.remedy}" if fault else "", wrong=fault is not None)
        self._show()
        return fault is None

    def entered(self, text: str) -> None:
        """Keeps the filter and goes back to the table; stays where it says nothing that could be meant."""
        if self._narrow(text):
            self._preferences.remember("filters", text.strip())
            self._leave()

    def left(self) -> None:
        """Back to the table with all channels."""
        self._rack.narrow("")
        self._leave()
        self._show()
