"""A worker that keeps a history: others change its channels, changes are undone, line-ups are applied."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from pilots import until
from rack_fixtures import NOW, FakeClient, spec
from textual.pilot import Pilot

from transcoder_tui.errors import Conflict, Fault
from transcoder_tui.models.capacity import Cost
from transcoder_tui.models.event import Event, EventKind
from transcoder_tui.models.lineup import Applied, Change, ChangeKind
from transcoder_tui.models.undo import PastChange, Undone, UndoView
from transcoder_tui.models.view import ChannelDocument, ChannelView

Prepare = Callable[[Pilot[str]], Awaitable[None]]


class Keeper(FakeClient):
    """Refuses a change that is based on an older revision, and answers what a test gives it."""

    def __init__(self, channels: list[ChannelView] | None = None) -> None:
        super().__init__(channels)
        self.last: UndoView | None = None
        self.plan: list[Change] = []
        self.warnings: list[Fault] = []

    def changed_by(self, actor: str, channel_id: int, **changes: Any) -> None:
        """Somebody else stores other values."""
        document = self.documents[channel_id]
        stored = {**document.spec, **changes}
        self.documents[channel_id] = ChannelDocument(id=channel_id, revision=document.revision + 1, spec=stored)
        self.happened.append(
            Event(
                id=len(self.happened) + 1,
                at=NOW - timedelta(seconds=40),
                kind=EventKind.CONFIG,
                channel_id=channel_id,
                channel=stored["name"],
                message=f"changed: {', '.join(changes)}",
                actor=actor,
            )
        )

    async def change(self, channel_id: int, spec: dict[str, Any], revision: int | None = None) -> ChannelDocument:
        self.asked.append(("change", (channel_id, spec, revision)))
        self._refuse()
        present = self.documents[channel_id].revision
        if revision not in (None, present):
            raise Conflict(f"{spec['name']} is at revision {present}", "load the channel again")
        stored = ChannelDocument(id=channel_id, revision=present + 1, spec=spec, warnings=self.warnings)
        self.documents[channel_id] = stored
        return stored.model_copy(deep=True)

    async def channels(self) -> list[ChannelDocument]:
        self._refuse()
        return [document.model_copy(deep=True) for document in self.documents.values()]

    async def undoable(self) -> UndoView | None:
        self._refuse()
        return self.last.model_copy(deep=True) if self.last else None

    async def undo(self, event: int) -> Undone:
        self.asked.append(("undo", event))
        self._refuse()
        assert self.last is not None
        return Undone(changes=self.last.changes)

    async def apply(self, lineup: dict[str, Any], *, dry_run: bool = False, prune: bool = False) -> Applied:
        self.asked.append(("apply", (dry_run, prune, lineup)))
        self._refuse()
        cost = Cost(cores=4.2, of=8, left=5.1) if dry_run else None
        return Applied(dry_run=dry_run, changes=self.plan, cost=cost, warnings=self.warnings)


def past(channel: str, before: dict[str, Any] | None, after: dict[str, Any] | None, **more: Any) -> PastChange:
    """What was done to one channel."""
    kind = ChangeKind.CREATE if before is None else ChangeKind.DELETE if after is None else ChangeKind.CHANGE
    return PastChange(channel_id=1, channel=channel, kind=kind, before=before, after=after, **more)


def last_change(*changes: PastChange) -> UndoView:
    """The last change of all, twelve minutes ago."""
    return UndoView(event=41, at=NOW - timedelta(minutes=12, seconds=5), actor="anna", changes=list(changes))


def someone_changed_the_line_up() -> UndoView:
    """A line-up that changed, created and deleted something."""
    old = spec("News HD", 1)
    [rung] = old["renditions"]
    new = {**old, "priority": 80, "renditions": [{**rung, "video": {**rung["video"], "bitrate": "4000k"}}]}
    return last_change(
        past("News HD", old, new, on_air=True, restarts=True),
        past("Music", None, spec("Music", 9), on_air=False),
        past("Shopping", spec("Shopping", 8), None),
    )


async def dialog(pilot: Pilot[str], name: str) -> None:
    """Waits for a dialog by the name of its class."""
    await until(pilot, lambda: type(pilot.app.screen).__name__ == name and pilot.app.screen.is_running, name)


def did(client: FakeClient, verb: str) -> list[Any]:
    """What a client was asked for."""
    return [what for asked, what in client.asked if asked == verb]
