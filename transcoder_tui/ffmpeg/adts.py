"""AAC that is copied: transport streams carry it with ADTS headers, MP4 wants it without.

FFmpeg takes the headers off by itself for RTMP, Matroska, DASH and MP4 files in a series. It does not where the header
of an MP4 waits for the first packets, as in HLS and in a single file: there it ends with "Malformed AAC bitstream"
(FFmpeg 5.1 and 9.0, alone and in tee). The filter that does it refuses every other codec.
"""

from collections.abc import Sequence

from transcoder_tui.ffmpeg.destination import Job
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.source import TRANSPORT_STREAMS, Source

FILTER = "aac_adtstoasc"
"""FFmpeg's filter that takes the headers off; it leaves AAC alone that has none."""
_WITHOUT = ("hls-fmp4", "mp4")
"""Containers that take AAC without them."""


def asks_for_codec(spec: ChannelSpec, source: Source) -> bool:
    """Whether the codec of a source's sound must be known before FFmpeg can be told how to copy it."""
    return source.address.scheme in TRANSPORT_STREAMS and any(
        output.container in _WITHOUT and any(one.audio and one.audio.is_copy for one in spec.carried(output))
        for output in spec.outputs
    )


def filters(job: Job, codecs: Sequence[str]) -> dict[str, str]:
    """The bitstream filters of an output, by its streams.

    Args:
        job: The output.
        codecs: The codecs of the source's sounds in the order of the channel's tracks, as far as they are known.
    """
    if job.output.container not in _WITHOUT:
        return {}
    aac = {track for track, codec in enumerate(codecs) if codec == "aac"}
    return {
        f"a:{number}": FILTER
        for number in job.plan.sounds_in(job.carried)
        if job.plan.sounds[number].audio.is_copy and job.plan.sounds[number].track in aac
    }
