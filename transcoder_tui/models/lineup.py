"""The line-up: the document in which all channels are kept, applied and exported."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from transcoder_tui.errors import Fault
from transcoder_tui.models.capacity import Cost
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.claims import Claims
from transcoder_tui.models.faults import refuse
from transcoder_tui.models.field import about

VERSION = 1


class LineUp(BaseModel):
    """The file that ``apply`` reads and ``export`` writes."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = about("Version of this format.", label="Version")
    channels: Annotated[list[ChannelSpec], Field()] = about("The channels.", label="Channels")

    @model_validator(mode="after")
    def _no_conflicts(self) -> "LineUp":
        for fault in conflicts(self.channels):
            raise refuse(fault.fault, fault.remedy, fault.field)
        return self

    def document(self) -> dict[str, Any]:
        """The line-up as a file holds it."""
        return {"version": self.version, "channels": [channel.document() for channel in self.channels]}


def conflicts(channels: Sequence[ChannelSpec]) -> list[Fault]:
    """What channels of one host must not share: a name, a destination, a port, a group on two interfaces.

    Returns:
        A fault for each conflict, its field seen from the line-up, at the later of the two channels.
    """
    found: list[Fault] = []
    names: dict[str, int] = {}
    claims = Claims()
    for index, channel in enumerate(channels):
        where = f"channels[{index}]"
        if channel.name.casefold() in names:
            found.append(Fault(f"{channel.name!r} is used twice", "give each channel its own name", f"{where}.name"))
        names[channel.name.casefold()] = index
        found += [fault.within(where) for fault in claims.add(channel.name, channel.sources, channel.outputs)]
    return found


class ChangeKind(StrEnum):
    """What applying a line-up does to one channel."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    KEEP = "keep"


class Change(BaseModel):
    """What applying a line-up does, or would do, to one channel."""

    kind: ChangeKind
    channel: str
    """The channel's name."""
    on_air: bool = False
    """Whether it was on air, or about to be, when this was decided."""
    restarts: bool = False
    """Whether a channel that is on air is interrupted by it."""
    fields: list[str] = []
    """Paths of the fields that change."""
    cost: Cost | None = None
    """What the channel will cost, where that was asked for with a dry run."""


class Applied(BaseModel):
    """The answer to an applied line-up."""

    dry_run: bool
    changes: list[Change]
    cost: Cost | None = None
    """What the channels that are created or changed will cost together, after a dry run."""
    warnings: list[Fault] = []
    """What may keep channels off the air and can heal; fields as seen from the line-up."""
