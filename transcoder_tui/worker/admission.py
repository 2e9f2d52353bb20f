"""What this host must have before a channel is accepted: its interfaces, its directories, free destinations."""

from collections.abc import Sequence

from transcoder_tui.errors import Fault, InvalidInput, TranscoderError
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts, build_command
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.lineup import conflicts


def faults(spec: ChannelSpec, binary: Binary | None, host: HostFacts) -> list[Fault]:
    """Why this host could not run a channel: its command is built for every source, as at a start.

    Args:
        spec: The channel.
        binary: The FFmpeg in use; without one, nothing can be said.
        host: What the host has.
    """
    if binary is None:
        return []
    found: list[Fault] = []
    for source in range(len(spec.sources)):
        try:
            build_command(spec, binary, host, source)
        except TranscoderError as error:
            found += [fault for fault in error.faults if fault not in found]
    return found


def require_free(spec: ChannelSpec, others: Sequence[ChannelSpec]) -> None:
    """Refuses a channel whose name or destinations another one has.

    Raises:
        InvalidInput: With the fields as seen from the channel.
    """
    prefix = f"channels[{len(others)}]."
    clashes = [fault for fault in conflicts([*others, spec]) if fault.field.startswith(prefix)]
    if clashes:
        raise InvalidInput([Fault(clash.fault, clash.remedy, clash.field.removeprefix(prefix)) for clash in clashes])
