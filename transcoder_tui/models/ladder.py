"""Ladders to choose from: renditions under a name, which a line-up or the form takes in place of its own."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from transcoder_tui.errors import Fault, InvalidInput
from transcoder_tui.models.faults import parse
from transcoder_tui.models.field import about, written
from transcoder_tui.models.names import check_label
from transcoder_tui.models.rendition import Rendition
from transcoder_tui.models.units import Fps, Range, format_fps


class Ladder(BaseModel):
    """Renditions under a name."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, AfterValidator(check_label)] = about("Name of the ladder.", label="Name", example="apple-hls")
    help: str = about("What it is for.", label="Help", default="", max_length=300)
    figures: str = about("Where its figures come from.", label="Figures", default="", max_length=300)
    renditions: Annotated[list[Rendition], Field(min_length=1, max_length=32)] = about(
        "The rungs, the highest first.", label="Renditions"
    )

    def document(self) -> list[dict[str, Any]]:
        """Its renditions as a line-up writes them."""
        return [written(rendition) for rendition in self.renditions]


class LadderView(Ladder):
    """A ladder as the worker shows it."""

    own: bool = False
    """Whether it is the operator's own; else it comes along."""
    overrides: bool = False
    """Whether it is the operator's own in the place of one that comes along, which is back once it is deleted."""


class LadderFile(BaseModel):
    """A file of ladders."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = about("Version of this format.", label="Version")
    ladders: Annotated[list[Ladder], Field(max_length=1000)] = about("The ladders.", label="Ladders")


class LadderChoice(BaseModel):
    """What a channel of a line-up writes under ``ladder``."""

    model_config = ConfigDict(extra="forbid")

    name: str = about("Name of the ladder.", label="Name")
    top: str | None = about("The highest rung to take; those above are left out.", label="Top", default=None)
    fps: Annotated[Fps, Range(1, 120, format_fps)] | None = about(
        "Frame rate of all rungs. If not given, that of the ladder.", label="Frame rate", unit="fps", default=None
    )


def names_ladders(lineup: Mapping[str, Any]) -> bool:
    """Whether a line-up, not validated yet, names a ladder in one of its channels."""
    channels = lineup.get("channels")
    return isinstance(channels, list) and any(isinstance(entry, dict) and "ladder" in entry for entry in channels)


def expand(lineup: Mapping[str, Any], ladders: Sequence[Ladder]) -> dict[str, Any]:
    """Writes the renditions of each ladder that a line-up names in its place.

    What is stored are the renditions: a ladder that is changed later changes no channel.

    Args:
        lineup: A document, not validated yet, that names some.
        ladders: Those that there are.

    Raises:
        InvalidInput: With a fault for each ladder that is not there, or stands beside renditions.
    """
    faults: list[Fault] = []
    expanded: list[Any] = []
    for index, channel in enumerate(lineup["channels"]):
        if isinstance(channel, dict) and "ladder" in channel:
            try:
                channel = _expanded(channel, {ladder.name: ladder for ladder in ladders})
            except InvalidInput as error:
                faults += [fault.within(f"channels[{index}]") for fault in error.faults]
        expanded.append(channel)
    if faults:
        raise InvalidInput(faults)
    return {**lineup, "channels": expanded}


def _expanded(channel: Mapping[str, Any], ladders: Mapping[str, Ladder]) -> dict[str, Any]:
    if "renditions" in channel:
        raise InvalidInput([Fault("stands beside renditions", "write one of the two", "ladder")])
    given = channel["ladder"]
    try:
        choice = parse(LadderChoice, {"name": given} if isinstance(given, str) else given)
    except InvalidInput as error:
        raise InvalidInput([fault.within("ladder") for fault in error.faults]) from None
    ladder = ladders.get(choice.name)
    if ladder is None:
        there = ", ".join(sorted(ladders)) or "none"
        raise InvalidInput([Fault(f"there is no ladder {choice.name!r}", f"choose one of {there}", "ladder")])
    names = [rendition.name for rendition in ladder.renditions]
    if choice.top is not None and choice.top not in names:
        raise InvalidInput(
            [Fault(f"{ladder.name} has no rung {choice.top!r}", f"choose one of {', '.join(names)}", "ladder.top")]
        )
    rungs = ladder.document()[names.index(choice.top) if choice.top else 0 :]
    if choice.fps is not None:
        rungs = [{**rung, "video": {**rung["video"], "fps": choice.fps}} for rung in rungs]
    return {**{name: value for name, value in channel.items() if name != "ladder"}, "renditions": rungs}
