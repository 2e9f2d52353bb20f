"""What this host must have before a channel is accepted: its interfaces, its directories, free destinations."""

import re
from collections.abc import Sequence
from pathlib import Path

from transcoder_tui.errors import Fault, TranscoderError
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts, build_command
from transcoder_tui.models.address import Address
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.lineup import conflicts
from transcoder_tui.worker.limits import cpu_faults

_PLACE = re.compile(r"channels\[(\d+)\](.*)")


def faults(spec: ChannelSpec, binary: Binary | None, host: HostFacts) -> list[Fault]:
    """Why this host could not run a channel as asked: its command is built for every source, as at a start.

    Args:
        spec: The channel.
        binary: The FFmpeg in use; without one, nothing can be said of the command.
        host: What the host has.
    """
    found = cpu_faults(spec, host.cpus)
    if binary is None:
        return found
    for source in range(len(spec.sources)):
        try:
            build_command(spec, binary, host, source)
        except TranscoderError as error:
            found += [fault for fault in error.faults if fault not in found]
    return found


def clashes(channels: Sequence[ChannelSpec], staying: Sequence[ChannelSpec], host: HostFacts) -> list[Fault]:
    """What channels want that others have: a name, a destination, a file.

    Args:
        channels: The channels to be accepted.
        staying: Those that are there and stay as they are.
        host: Where relative file names belong.

    Returns:
        A fault for each, its field seen from ``channels``.
    """
    together = [*staying, *channels]
    found = [*conflicts(together), *_file_clashes(together, host)]
    here = [(int(match[1]) - len(staying), match[2], fault) for fault in found if (match := _PLACE.match(fault.field))]
    return [Fault(fault.fault, fault.remedy, f"channels[{index}]{rest}") for index, rest, fault in here if index >= 0]


def _file_clashes(channels: Sequence[ChannelSpec], host: HostFacts) -> list[Fault]:
    """Files are compared by where they really lie, because one has many spellings."""
    written: dict[Path, str] = {}
    found: list[Fault] = []
    for index, channel in enumerate(channels):
        for number, output in enumerate(channel.outputs):
            path = _file(output.address, host)
            if path is not None and written.setdefault(path, channel.name) != channel.name:
                fault = f"{path} is already an output of {written[path]}"
                found.append(Fault(fault, "write to another file", f"channels[{index}].outputs[{number}].url"))
    for index, channel in enumerate(channels):
        for number, source in enumerate(channel.sources):
            path = _file(source.address, host)
            if path is not None and path in written:
                fault = f"{path} is an output of {written[path]}, which overwrites it"
                found.append(Fault(fault, "read another file", f"channels[{index}].sources[{number}].url"))
    return found


def _file(address: Address, host: HostFacts) -> Path | None:
    return (host.media_roots[0] / address.file).resolve() if address.scheme == "file" else None
