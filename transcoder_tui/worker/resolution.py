"""Looks into a source before a start, where something of it is chosen by name."""

from transcoder_tui.errors import HostFault, SourceFault
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.resolution import needs_look, resolve
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.source import Source
from transcoder_tui.worker.look import Look

LIMIT_S = 10.0
"""Seconds for it: names of services come every 2 s (ETSI TS 101 211), PMTs and pictures sooner."""
AGAIN_S = 1.0
"""Seconds that must be left for another look, where a name has not come yet."""


async def resolved(spec: ChannelSpec, index: int, binary: Binary, host: HostFacts) -> ChannelSpec:
    """The channel with numbers in place of what one of its sources is asked for by name.

    Args:
        spec: The channel.
        index: Position of the source.
        binary: The FFmpeg in use.
        host: This machine.

    Raises:
        HostFault: Where this machine lacks the interface, or nothing can be started.
        InvalidInput: Where a file lies outside the media roots.
        SourceFault: Where the source cannot be read, or has nothing of that name.
    """
    source = spec.sources[index]
    if not needs_look(spec, source):
        return spec
    try:
        numbered = await _numbered(source, f"sources[{index}]", Look(source, binary, host, LIMIT_S))
    except OSError as error:
        raise HostFault(f"no program can be started to look into the source: {error.strerror}") from None
    return spec.model_copy(update={"sources": [*spec.sources[:index], numbered, *spec.sources[index + 1 :]]})


async def _numbered(source: Source, field: str, look: Look) -> Source:
    while True:
        found = await look.description()
        try:
            return resolve(source, found, field)
        except SourceFault:
            if look.left_s < AGAIN_S or all(program.name for program in found.programs):
                raise
