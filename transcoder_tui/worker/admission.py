"""What this host must have before a channel is accepted: its interfaces, its directories, free destinations."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from transcoder_tui.errors import Fault, TranscoderError
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts, build_command
from transcoder_tui.ffmpeg.texts import can_read_texts
from transcoder_tui.models.address import Address, parse_address
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.containers import CONTAINERS
from transcoder_tui.models.lineup import conflicts
from transcoder_tui.models.output import LADDERS, hls_directory
from transcoder_tui.worker.limits import cpu_faults

_PLACE = re.compile(r"channels\[(\d+)\](.*)")


def faults(spec: ChannelSpec, binary: Binary | None, host: HostFacts) -> list[Fault]:
    """Why a channel could not run as asked on this host: its command is built for every source, as at a start.

    Args:
        spec: The channel.
        binary: The FFmpeg in use; without one, nothing can be said of the command.
        host: What the host has.
    """
    found = [*cpu_faults(spec, host.cpus), *_left_out(spec, binary)]
    if binary is None:
        return found
    for source in range(len(spec.sources)):
        try:
            build_command(spec, binary, host, source)
        except TranscoderError as error:
            found += [fault for fault in error.faults if fault not in found]
    return found


def _left_out(spec: ChannelSpec, binary: Binary | None) -> Iterator[Fault]:
    """What a source is asked for that no output carries. The model allows it: what is stored must stay readable."""
    if any(CONTAINERS[output.container].accompanied for output in spec.outputs):
        return
    remedy = "send them to udp://, rtp://, srt:// or a .ts file as well, or remove it"
    has_hls = any(output.address.scheme == "hls" for output in spec.outputs)
    kinds = {"subtitles": "subtitles and teletext", "data": "data PIDs"}
    for index, source in enumerate(spec.sources):
        for name, words in kinds.items():
            if not getattr(source, name):
                continue
            if name == "subtitles" and has_hls:
                if binary is not None and not can_read_texts(source, binary):
                    fault = f"FFmpeg {binary.version} loses the pace of a file of which it reads subtitles"
                    yield Fault(fault, "use an FFmpeg up to version 7, or remove it", f"sources[{index}].{name}")
            else:
                yield Fault(f"no output of this channel carries {words}", remedy, f"sources[{index}].{name}")


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
    found = conflicts(together)
    blamed = {fault.field for fault in found}
    found += [fault for fault in _file_clashes(together, host) if fault.field not in blamed]
    here = [(int(match[1]) - len(staying), match[2], fault) for fault in found if (match := _PLACE.match(fault.field))]
    return [Fault(fault.fault, fault.remedy, f"channels[{index}]{rest}") for index, rest, fault in here if index >= 0]


def _file_clashes(channels: Sequence[ChannelSpec], host: HostFacts) -> list[Fault]:
    """Files are compared by where they really lie, because one has many spellings."""
    written: dict[Path, str] = {}
    trees: dict[Path, str] = {}
    found: list[Fault] = []
    for index, channel in enumerate(channels):
        for number, output in enumerate(channel.outputs):
            field = f"channels[{index}].outputs[{number}].url"
            if output.address.scheme in LADDERS:
                trees[(host.hls_root / hls_directory(output.address)).resolve()] = field
            path = _file(output.address, host)
            if path is None:
                continue
            if path in written:
                found.append(Fault(f"{path} is already an output of {written[path]}", "write to another file", field))
            written.setdefault(path, channel.name)
    for index, channel in enumerate(channels):
        for field, address in _files_read(channel):
            path = _file(address, host)
            if path is not None and path in written:
                fault = f"{path} is an output of {written[path]}, which overwrites it"
                found.append(Fault(fault, "read another file", f"channels[{index}].{field}"))
        for number, output in enumerate(channel.outputs):
            path = _file(output.address, host)
            if path is not None and any(parent in trees for parent in path.parents):
                fault = f"{path} lies in a directory of HLS or DASH, which is tidied up"
                found.append(Fault(fault, "record elsewhere", f"channels[{index}].outputs[{number}].url"))
    return found


def _files_read(channel: ChannelSpec) -> Iterator[tuple[str, Address]]:
    """What a channel reads, each with its field; not all of it need be files."""
    for index, source in enumerate(channel.sources):
        yield f"sources[{index}].url", source.address
        for entry in source.playlist.split(", ") if source.playlist else ():
            yield f"sources[{index}].playlist", parse_address(entry, ("file",))
    if channel.overlay is not None and channel.overlay.logo is not None:
        yield "overlay.logo", parse_address(channel.overlay.logo, ("file",))


def _file(address: Address, host: HostFacts) -> Path | None:
    if address.scheme != "file" or not host.media_roots:
        return None
    return (host.media_roots[0] / address.file).resolve()
