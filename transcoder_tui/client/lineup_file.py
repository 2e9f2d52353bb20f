"""Line-up files: read with suspicion, told with the names of their channels, written for their owner's eyes only."""

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transcoder_tui.client.yaml_text import MAX_BYTES, read_yaml, write_yaml
from transcoder_tui.errors import Fault, HostFault, InvalidInput
from transcoder_tui.models.faults import parse
from transcoder_tui.models.ladder import Ladder, expand, names_ladders
from transcoder_tui.models.lineup import VERSION, LineUp

_CHANNEL = re.compile(r"channels\[(\d+)\]")


def content_of(file: Path) -> bytes:
    """A file's bytes, at most one more than are allowed.

    Raises:
        InvalidInput: Where it cannot be read.
    """
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", "name a line-up file", str(file)) from None


def lineup_in(data: bytes, name: str) -> dict[str, Any]:
    """The document of a line-up file, validated unless it names ladders, which only the worker knows.

    Args:
        data: The file's content.
        name: What to call the file in an error.

    Raises:
        InvalidInput: With a fault for everything that is wrong with it.
    """
    document = read_yaml(data, name)
    if isinstance(document, dict) and names_ladders(document):
        return document
    return _valid(document)


def with_ladders(document: dict[str, Any], ladders: Sequence[Ladder]) -> dict[str, Any]:
    """A line-up with its ladders written out.

    Raises:
        InvalidInput: With a fault for everything that is wrong with it.
    """
    try:
        expanded = expand(document, ladders)
    except InvalidInput as error:
        raise with_names(error, document) from None
    return _valid(expanded)


def _valid(document: Any) -> dict[str, Any]:
    try:
        return parse(LineUp, document).document()
    except InvalidInput as error:
        raise with_names(error, document) from None


def with_names(error: InvalidInput, document: object) -> InvalidInput:
    """The same faults, each with the name of the channel that its path counts to."""
    channels = document.get("channels") if isinstance(document, dict) else None
    return InvalidInput([with_name(fault, channels) for fault in error.faults])


def with_name(fault: Fault, channels: object) -> Fault:
    """The same fault with the name of the channel that its path counts to.

    Args:
        fault: Its field is seen from the line-up.
        channels: The line-up's channels.
    """
    place = _CHANNEL.match(fault.field)
    if place is None or not isinstance(channels, list) or int(place[1]) >= len(channels):
        return fault
    channel = channels[int(place[1])]
    name = channel.get("name") if isinstance(channel, dict) else None
    if not isinstance(name, str) or name in fault.fault:
        return fault
    return Fault(f"{fault.fault} (in {name[:64]})", fault.remedy, fault.field)


def lineup_of(specs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Channels as a line-up's document."""
    return {"version": VERSION, "channels": list(specs)}


def write_lineup(path: Path, document: dict[str, Any]) -> None:
    """Puts a line-up file in place in one step, with mode 0600 from its first byte on: it holds stream keys.

    Raises:
        HostFault: Where it cannot be written.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise HostFault("is no file that could be replaced", "choose another file", str(path))
    try:
        descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(write_yaml(document))
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(target)
        except BaseException:
            Path(draft).unlink()
            raise
    except OSError as error:
        raise HostFault(f"cannot be written: {error.strerror}", "choose another file", str(path)) from None
