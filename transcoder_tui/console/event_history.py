"""Events as far back as they were asked for: what the worker tells is added behind, older pages before."""

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from transcoder_tui.console.edge import Edge
from transcoder_tui.console.event_line import KINDS, Choice

if TYPE_CHECKING:
    from transcoder_tui.models.event import Event

PAGE = 200
"""Events asked for at a time: some ten screens of them."""
MOST = 5000
"""Events kept: with the ends of FFmpeg's log that some carry about 10 MB."""


class EventHistory:
    """Events of some kinds, oldest first, without a gap.

    Args:
        choice: Which kinds.
    """

    def __init__(self, choice: Choice = "all") -> None:
        self._kinds = KINDS[choice]
        self.events: list[Event] = []
        self.complete = False
        """Whether the first event of all is among them."""
        self._newest: int | None = None
        self._before: int | None = None
        """Whatever is older than the event of this id is not known yet; None: nothing is known."""

    @property
    def is_full(self) -> bool:
        """Whether no older ones are taken in."""
        return len(self.events) >= MOST

    def take(self, told: "Sequence[Event]") -> int:
        """Adds what the worker told meanwhile.

        Where none of it was known before, there may be a gap: all begins anew with what was told.

        Args:
            told: The latest events of all kinds, oldest first.

        Returns:
            How many there are more.
        """
        if not told:
            return 0
        newest = self._newest
        if newest is None or told[-1].id < newest or told[0].id > newest:
            self.events, self.complete = [], False
            self._before = told[0].id
            newest = -1
        new = list(takewhile(lambda event: event.id > newest, reversed(told)))[::-1]
        found = [event for event in new if not self._kinds or event.kind.value in self._kinds]
        self._newest = told[-1].id
        self.events += found
        return len(found)

    def trim(self) -> None:
        """Drops the oldest of too many."""
        if len(self.events) > MOST:
            del self.events[:-MOST]
            self._before, self.complete = self.events[0].id, False

    async def older(self, edge: Edge) -> int:
        """Asks for the page before.

        Returns:
            How many there are more.

        Raises:
            TranscoderError: As the worker says, or where it does not answer.
        """
        from transcoder_tui.models.event import EventKind

        before = self._before
        page = await edge.events(PAGE, before=before, kinds=[EventKind(kind) for kind in self._kinds])
        if before != self._before:
            return 0  # begun anew meanwhile
        self.complete = len(page) < PAGE
        if page:
            self._before = page[0].id
            self._newest = max(self._newest or 0, page[-1].id)
            self.events[:0] = page
        return len(page)
