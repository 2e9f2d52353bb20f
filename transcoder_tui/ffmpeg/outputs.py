"""What FFmpeg is told to write: a new kind of output is one entry in :data:`KINDS`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from transcoder_tui.ffmpeg import adts, ladders, recording, tee, transport
from transcoder_tui.ffmpeg.destination import NETWORK_TIMEOUT_US, RECOVERY, Destination, Job
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.ladders import HlsTree, tree_of
from transcoder_tui.ffmpeg.plan import Plan
from transcoder_tui.ffmpeg.recording import Recording, recording_of
from transcoder_tui.ffmpeg.texts import Text
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.output import LADDERS


def destinations(
    spec: ChannelSpec,
    plan: Plan,
    host: HostFacts,
    codecs: Sequence[str] = (),
    texts: Sequence[Text] = (),
    copied: int = 0,
) -> list[Destination]:
    """Every output of a channel, in its order.

    Args:
        spec: The channel.
        plan: The streams to write.
        host: This machine.
        codecs: The codecs of the source's sounds in the order of the channel's tracks, as far as they are known.
        texts: The subtitles that become WebVTT.
        copied: How many subtitles are copied beside them.

    Raises:
        HostFault: Where this machine lacks an interface or a usable HLS root.
        InvalidInput: Where a file lies outside the media roots.
    """
    jobs = (
        Job(spec, output, host, plan, f"outputs[{index}]", texts, copied) for index, output in enumerate(spec.outputs)
    )
    return [replace(KINDS[job.output.address.scheme](job), filters=adts.filters(job, codecs)) for job in jobs]


def output_arguments(
    written: Sequence[Destination], interleave_delta: int, picture_pids: Mapping[int, int] | None = None
) -> list[str]:
    """The end of the command: muxers and addresses.

    One destination is a plain output, so that its failure ends FFmpeg and is seen. Several share one tee, so that each
    stream is encoded once; there, datagrams are sent directly, and what may fail is kept apart by a queue. Files come
    first, because tee closes one after the other: a peer that does not answer then must not keep them from their end.

    Args:
        written: The destinations.
        interleave_delta: Microseconds that a muxer may wait for a late stream.
        picture_pids: The PIDs of pictures that have one of their own, by their numbers.
    """
    pids = [part for number, pid in (picture_pids or {}).items() for part in ("-streamid", f"{number}:{pid}")]
    if len(written) == 1 and not written[0].waits:
        return [*pids, *_plain(written[0], interleave_delta)]
    global_header = any(destination.global_header for destination in written)
    files_first = sorted(written, key=lambda destination: not destination.on_disk)
    slaves = [_slave(destination, interleave_delta, global_header) for destination in files_first]
    return [*pids, "-max_interleave_delta", str(interleave_delta), "-f", "tee", "|".join(slaves)]


def needs_global_header(written: Sequence[Destination]) -> bool:
    """Whether the encoders must be told to write parameter sets apart; a plain output tells them by itself."""
    return len(written) > 1 and any(destination.global_header for destination in written)


def hls_trees(spec: ChannelSpec, host: HostFacts) -> list[HlsTree]:
    """What the HLS and DASH outputs of a channel keep on disk.

    The worker makes the directories before a start, because FFmpeg fails only at the end of the first segment if they
    are missing, and ends the playlists after a stop.

    Raises:
        HostFault: Where this machine lacks a usable HLS root.
    """
    return [
        tree_of(spec, output, host, f"outputs[{index}]")
        for index, output in enumerate(spec.outputs)
        if output.address.scheme in LADDERS
    ]


def recordings(spec: ChannelSpec, host: HostFacts) -> list[Recording]:
    """What a channel records. FFmpeg overwrites a single file at each start: set aside first what must be kept.

    Raises:
        HostFault: Where no media root is set.
        InvalidInput: Where a file lies below none of the media roots.
    """
    return [
        recording_of(output, host, f"outputs[{index}]")
        for index, output in enumerate(spec.outputs)
        if output.address.scheme == "file"
    ]


def _rtmp(job: Job) -> Destination:
    secure = job.output.address.scheme == "rtmps"
    return Destination(
        muxer="flv",
        url=job.output.address.text,
        streams=job.streams,
        protocols="rtmps,tls,tcp" if secure else "rtmp,tcp",
        options={
            "flvflags": "no_duration_filesize",
            "rw_timeout": str(NETWORK_TIMEOUT_US),
            **({"tls_verify": "1"} if secure else {}),
        },
        global_header=True,
        fifo=RECOVERY,
    )


KINDS: Mapping[str, Callable[[Job], Destination]] = {
    "udp": transport.udp,
    "rtp": transport.rtp,
    "srt": transport.srt,
    "hls": ladders.hls,
    "dash": ladders.dash,
    "rtmp": _rtmp,
    "rtmps": _rtmp,
    "file": recording.file,
}
"""How each scheme of output is written."""


def _plain(destination: Destination, interleave_delta: int) -> list[str]:
    arguments = ["-protocol_whitelist", destination.protocols, "-max_interleave_delta", str(interleave_delta)]
    for name, value in destination.options.items():
        arguments += [f"-{name}", value]
    for stream, named in destination.filters.items():
        arguments += [f"-bsf:{stream}", named]
    return [*arguments, "-f", destination.muxer, destination.url]


def _slave(destination: Destination, interleave_delta: int, global_header: bool) -> str:
    options = {
        "select": ",".join(destination.streams),
        "f": destination.muxer,
        "onfail": "ignore" if destination.fifo else "abort",
        "protocol_whitelist": destination.protocols,
        "max_interleave_delta": str(interleave_delta),
        **destination.options,
    }
    if global_header and not destination.global_header:
        options["bsfs/v"] = "dump_extra"
    # Tee reads no colon in the name of an option: a stream can only be named by its place.
    options |= {f"bsfs/{destination.streams.index(stream)}": named for stream, named in destination.filters.items()}
    if destination.fifo:
        options |= {"use_fifo": "1", "fifo_options": tee.option_list(destination.fifo)}
    return tee.slave(options, destination.url)
