"""Looks into a source before a start, where something of it is chosen by name, or must be known to copy it."""

from dataclasses import dataclass

from transcoder_tui.errors import HostFault, SourceFault
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.resolution import Resolution, needs_look, resolve
from transcoder_tui.ffmpeg.texts import Text, readable_texts
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.source import Source
from transcoder_tui.worker.look import Look

LIMIT_S = 10.0
"""Seconds for it: names of services come every 2 s (ETSI TS 101 211), PMTs and pictures sooner."""
ANALYSE_US = 2_000_000
"""Microseconds of media in which a look ends where something of the multiplex cannot be seen, such as a scrambled
program: names, languages and codecs are in the tables, and pictures need not be known."""
AGAIN_S = 1.0
"""Seconds that must be left for another look, where a name has not come yet."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A channel, one of whose sources was looked into."""

    spec: ChannelSpec
    """With numbers in place of what that source is asked for by name."""
    codecs: tuple[str, ...] = ()
    """The codecs of its sounds in the order of the channel's tracks, as far as they are known."""
    texts: tuple[Text, ...] = ()
    """Its subtitles that are text, where it was looked into."""


async def resolved(spec: ChannelSpec, index: int, binary: Binary, host: HostFacts) -> Resolved:
    """The channel as it can be started now, after a look into one of its sources where that is needed.

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
        return Resolved(spec)
    try:
        found = await _found(source, f"sources[{index}]", Look(source, binary, host, LIMIT_S, ANALYSE_US))
    except OSError as error:
        raise HostFault(f"no program can be started to look into the source: {error.strerror}") from None
    sources = [*spec.sources[:index], found.source, *spec.sources[index + 1 :]]
    return Resolved(
        spec.model_copy(update={"sources": sources}),
        found.codecs,
        readable_texts(found.texts, source, binary),
    )


async def _found(source: Source, field: str, look: Look) -> Resolution:
    while True:
        try:
            found = await look.description()
        except SourceFault as error:
            # Named, so that the channel goes over to its next source.
            raise SourceFault([fault.within(field) for fault in error.faults]) from None
        try:
            return resolve(source, found, field)
        except SourceFault:
            if look.left_s < AGAIN_S or all(program.name for program in found.programs):
                raise
