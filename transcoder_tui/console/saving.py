"""One channel's way from the form into the store: what changes is shown first, and nobody's work is overwritten."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transcoder_tui.console.differences import Difference, Merged, differences, merged
from transcoder_tui.console.edge import Edge
from transcoder_tui.console.reviews import conflict, saving
from transcoder_tui.errors import Conflict, TranscoderError
from transcoder_tui.models.event import EventKind

if TYPE_CHECKING:
    from transcoder_tui.console.screens.review import Review
    from transcoder_tui.models.channel import ChannelSpec
    from transcoder_tui.models.view import ChannelDocument

NAMED = 3
"""Differences that are told after saving; more are counted."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A channel as it is stored now."""

    channel: "ChannelDocument"
    created: bool
    changes: list[Difference] = field(default_factory=list)

    @property
    def words(self) -> str:
        """What was done, in a sentence."""
        name = self.channel.spec["name"]
        if self.created:
            return f"Saved: {name}"
        if not self.changes:
            return f"Nothing changed: {name} stays as it is stored."
        told = "; ".join(one.words for one in self.changes[:NAMED])
        more = f"; and {len(self.changes) - NAMED} more" if len(self.changes) > NAMED else ""
        return f"Saved {name}. {told}{more}"


class Saving:
    """Stores what a form holds.

    Args:
        edge: Stores it.
        stored: The channel that is changed; None for a new one.
        is_live: Says whether it is on air by now.
        ask: Asks the operator; gives the name of the answer.
    """

    def __init__(
        self,
        edge: Edge,
        stored: "ChannelDocument | None",
        is_live: Callable[[], bool],
        ask: "Callable[[Review], Awaitable[str]]",
    ) -> None:
        self._edge = edge
        self.stored = stored
        """What the form's changes are changes of."""
        self._is_live = is_live
        self._ask = ask

    async def save(self, spec: "ChannelSpec") -> Saved | Merged | None:
        """Stores a channel, after asking where it is on air, or where somebody else changed it meanwhile.

        Returns:
            The stored channel; a document to go on with, where the operator took over what somebody else did; None
            where he went back to the form.

        Raises:
            TranscoderError: Where the worker refuses it.
        """
        new = spec.document()
        while self.stored is not None:
            before = self.stored.parsed()
            old = before.document()
            if old == new:
                return Saved(self.stored, created=False)
            found = differences(old, new)
            restarts = before.on_air_part() != spec.on_air_part()
            if self._is_live() and await self._ask(saving(before.name, found, restarts=restarts)) != "save":
                return None
            try:
                stored = await self._edge.change(self.stored.id, new, self.stored.revision)
            except Conflict:
                theirs = await self._edge.channel(self.stored.id)
                if theirs.revision == self.stored.revision:
                    raise
                change = merged(old, new, theirs.parsed().document())
                answer = await self._ask_about(before.name, old, theirs, change)
                if not answer:
                    return None
                self.stored = theirs
                if answer == "take":
                    return change
                continue
            return Saved(stored, created=False, changes=found)
        return Saved(await self._edge.create(new), created=True)

    async def _ask_about(self, name: str, old: dict[str, object], theirs: "ChannelDocument", change: Merged) -> str:
        who = ""
        with suppress(TranscoderError):
            events = await self._edge.events(1, theirs.id, kinds=(EventKind.CONFIG, EventKind.UNDONE))
            who = events[-1].actor if events else ""
        return await self._ask(conflict(name, who, differences(old, theirs.parsed().document()), change.both))
