"""The last change of the configuration, as it can be undone."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from transcoder_tui.errors import Fault
from transcoder_tui.models.lineup import ChangeKind


class PastChange(BaseModel):
    """What was done to one channel."""

    channel_id: int
    channel: str
    """Its name: the present one, or the last one of a channel that is gone."""
    kind: ChangeKind
    """What was done: ``create``, ``change`` or ``delete``. Undone are these by deletion, change and creation."""
    fields: list[str] = []
    """Paths of the fields that differ, such as ``outputs[0].muxrate``."""
    before: dict[str, Any] | None = None
    """The channel's document before, which comes back; None where it was created."""
    after: dict[str, Any] | None = None
    """The document that it has now; None where it was deleted."""
    on_air: bool = False
    """Whether it is wanted on air now."""
    restarts: bool = False
    """Whether the undoing interrupts it on air: it restarts, or ends where it was created by the change."""


class UndoView(BaseModel):
    """The last change of the configuration that is not undone yet. A line-up is one change of many channels."""

    event: int
    """Id of its last event; names the change to be undone."""
    at: datetime
    actor: str
    changes: list[PastChange]


class Undone(BaseModel):
    """The answer to an undo."""

    changes: list[PastChange]
    """What was undone; channels that come back have the ids that they had."""
    warnings: list[Fault] = []
    """What may keep channels off the air and can heal."""
