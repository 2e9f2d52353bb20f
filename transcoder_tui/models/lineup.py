"""The line-up: the document in which all channels are kept, applied and exported."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from transcoder_tui.errors import Fault
from transcoder_tui.models.capacity import Cost
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.faults import refuse
from transcoder_tui.models.field import about
from transcoder_tui.models.output import Destinations

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
    """What channels of one host must not share: a name, a destination.

    Returns:
        A fault for each conflict, its field seen from the line-up, at the later of the two channels.
    """
    found: list[Fault] = []
    names: dict[str, int] = {}
    destinations = Destinations()
    listeners: dict[str | None, str] = {}
    for index, channel in enumerate(channels):
        if channel.name.casefold() in names:
            found.append(
                Fault(f"{channel.name!r} is used twice", "give each channel its own name", f"channels[{index}].name")
            )
        names[channel.name.casefold()] = index
        for number, source in enumerate(channel.sources):
            listener = listeners.setdefault(source.listens_on, channel.name) if source.listens_on else channel.name
            if listener != channel.name:
                found.append(
                    Fault(
                        f"{listener} receives on {source.listens_on} already",
                        "only one program can receive a unicast; send it to another port, or use a multicast group",
                        f"channels[{index}].sources[{number}].url",
                    )
                )
        for number, output in enumerate(channel.outputs):
            owner = destinations.take(output.destination, channel.name)
            if owner not in (None, channel.name):
                found.append(
                    Fault(
                        f"{output.destination} is already an output of {owner}",
                        "give each output its own address",
                        f"channels[{index}].outputs[{number}].url",
                    )
                )
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
