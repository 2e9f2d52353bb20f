"""What FFmpeg is told to write: a new kind of output is one entry in :data:`KINDS`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path, PurePosixPath

from transcoder_tui.ffmpeg import tee
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.plan import Plan
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.output import RECORDINGS, Output
from transcoder_tui.models.rendition import Rendition
from transcoder_tui.models.units import frame_rate

PROVIDER = "transcoder-tui"
"""Service provider in the SDT of every transport stream."""
TTL = 16
"""Routers that a multicast may cross where the output does not say."""
DATAGRAM = 1316
"""Bytes: seven transport stream packets, what receivers and DVB-IP (ETSI TS 102 034) expect."""
WINDOW = 6
"""Segments that an HLS playlist lists where the output does not say (RFC 8216 bis asks for at least six)."""
MUX_DELAY_US = 700_000
"""Microseconds between a packet's PCR and its DTS; FFmpeg's own default for plain outputs, which tee does not hand
on: without it a slave with a muxrate reports ``dts < pcr`` all the time."""
TS_CLOCK_HZ = 90_000
"""Ticks of a timestamp per second (ISO/IEC 13818-1)."""
NETWORK_TIMEOUT_US = 5_000_000
"""Microseconds after which a frozen peer counts as gone."""

HLS_FLAGS = (
    "delete_segments",
    "independent_segments",
    "program_date_time",
    "temp_file",
    "omit_endlist",
    "append_list",
)
"""``append_list`` continues the numbering after a restart; ``omit_endlist`` leaves the end of the playlist to us, since
an FFmpeg that ends itself is started again."""

RECOVERY = {
    "attempt_recovery": "1",
    "recover_any_error": "1",
    "recovery_wait_time": "2",
    "restart_with_keyframe": "1",
    "drop_pkts_on_overflow": "1",
    "queue_size": "600",
}
"""Options of the fifo muxer for a peer that may come and go while the other outputs stay on air. FFmpeg's default queue
of 60 packets is about a second."""


@dataclass(frozen=True)
class Destination:
    """One output as FFmpeg writes it, alone or as a slave of tee."""

    muxer: str
    """FFmpeg's name of the container."""
    url: str
    """Where it goes."""
    streams: tuple[str, ...]
    """The encoded streams that it carries, such as ``("v:0", "a:0")``."""
    protocols: str
    """The protocols that it may use."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of container and protocol."""
    global_header: bool = False
    """Whether the container wants parameter sets once, in its header, instead of in the stream."""
    expendable: bool = False
    """Whether the other outputs go on without it, and it reconnects by itself."""


@dataclass(frozen=True)
class HlsTree:
    """What one ``hls://`` output keeps on disk."""

    directory: Path
    """Holds the master playlist and a directory for each rung and shared sound."""
    playlists: tuple[Path, ...]
    """The media playlists: those of the rungs, then those of sounds that rungs share."""
    master: Path
    """The master playlist."""


@dataclass(frozen=True)
class _Job:
    spec: ChannelSpec
    output: Output
    host: HostFacts
    plan: Plan
    field: str

    @property
    def carried(self) -> list[Rendition]:
        return self.spec.carried(self.output)


def destinations(spec: ChannelSpec, plan: Plan, host: HostFacts) -> list[Destination]:
    """Every output of a channel, in its order.

    Raises:
        HostFault: Where this machine lacks an interface or a usable HLS root.
        InvalidInput: Where a file lies outside the media roots.
    """
    jobs = (_Job(spec, output, host, plan, f"outputs[{index}]") for index, output in enumerate(spec.outputs))
    return [KINDS[job.output.address.scheme](job) for job in jobs]


def output_arguments(written: Sequence[Destination], interleave_delta: int) -> list[str]:
    """The end of the command: muxers and addresses.

    One destination is a plain output, so that its failure ends FFmpeg and is seen. Several share one tee, so that each
    stream is encoded once; there, too, a destination that is not expendable ends FFmpeg when it fails.

    Args:
        written: The destinations.
        interleave_delta: Microseconds that a muxer may wait for a late stream.
    """
    if len(written) == 1:
        return _plain(written[0], interleave_delta)
    global_header = any(destination.global_header for destination in written)
    slaves = [_slave(destination, interleave_delta, global_header) for destination in written]
    return ["-max_interleave_delta", str(interleave_delta), "-f", "tee", "|".join(slaves)]


def needs_global_header(written: Sequence[Destination]) -> bool:
    """Whether the encoders must be told to write parameter sets apart; a plain output tells them by itself."""
    return len(written) > 1 and any(destination.global_header for destination in written)


def hls_trees(spec: ChannelSpec, host: HostFacts) -> list[HlsTree]:
    """What the HLS outputs of a channel keep on disk.

    The worker makes the directories before a start, because FFmpeg fails only at the end of the first segment if they
    are missing, and ends the playlists after a stop.
    """
    return [
        _tree(spec, output, host, f"outputs[{index}]")
        for index, output in enumerate(spec.outputs)
        if output.address.scheme == "hls"
    ]


def recordings(spec: ChannelSpec, host: HostFacts) -> list[Path]:
    """The files that a channel writes. FFmpeg overwrites them at each start: set aside first what must be kept."""
    return [
        host.media_file(output.address, f"outputs[{index}].url")
        for index, output in enumerate(spec.outputs)
        if output.address.scheme == "file"
    ]


def _udp(job: _Job) -> Destination:
    muxrate = job.spec.muxrate(job.output)
    address = job.output.address
    query = {
        "pkt_size": str(DATAGRAM),
        "ttl": str(job.output.ttl or TTL),
        # 3 % above the muxrate: below that rate the delay grows without any message, far above packets burst.
        "bitrate": str(muxrate * 103 // 100),
    }
    if job.output.interface is not None:
        query["localaddr"] = job.host.local_address(job.output.interface, f"{job.field}.interface")
    options = {
        "muxrate": str(muxrate),
        "pat_period": "0.1",
        "sdt_period": "0.5",
        "mpegts_flags": "+system_b+initial_discontinuity",
        "max_delay": str(MUX_DELAY_US),
        "flush_packets": "0",
    }
    joined = "&".join(f"{name}={value}" for name, value in query.items())
    return Destination(
        muxer="mpegts",
        url=f"udp://{address.authority}?{joined}",
        streams=job.plan.streams(job.carried),
        protocols="udp",
        options=options,
    )


def _hls(job: _Job) -> Destination:
    tree = _tree(job.spec, job.output, job.host, job.field)
    options = {
        "hls_time": _hls_time(job),
        "hls_list_size": str(job.output.window or WINDOW),
        "hls_delete_threshold": "2",
        "hls_segment_type": "mpegts",
        "hls_flags": "+".join(HLS_FLAGS),
        "master_pl_name": tree.master.name,
        "var_stream_map": _variants(job.carried, job.plan),
        "hls_segment_filename": f"{tree.directory}/%v/s_%08d.ts",
        "max_delay": str(MUX_DELAY_US),
    }
    return Destination(
        muxer="hls",
        # An absolute path without "file:", because the muxer would make a directory of that name.
        url=f"{tree.directory}/%v/index.m3u8",
        streams=job.plan.streams(job.carried),
        protocols="file",
        options=options,
        # The master playlist names the codecs, which FFmpeg reads from there; alone, the muxer asks for it by itself.
        global_header=True,
    )


def _hls_time(job: _Job) -> str:
    """The length of a segment in seconds, as long as its GOPs really are.

    FFmpeg cuts at the first keyframe from N x ``hls_time`` on. At 29.97 fps two GOPs last 4.004 s: with 4 instead, the
    error adds up to a GOP within half an hour, and a segment comes out half as long (measured).
    """
    video = job.carried[0].video
    gops = round(job.spec.segment(job.output) / video.gop)
    length = gops * video.gop_frames / frame_rate(video.fps)
    if (length * TS_CLOCK_HZ).denominator != 1:
        # The keyframe's timestamp is rounded; it must not come out before the cut.
        length -= Fraction(1, TS_CLOCK_HZ)
    return f"{float(length):.6f}".rstrip("0").rstrip(".")


def _rtmp(job: _Job) -> Destination:
    secure = job.output.address.scheme == "rtmps"
    return Destination(
        muxer="flv",
        url=job.output.address.text,
        streams=job.plan.streams(job.carried),
        protocols="rtmps,tls,tcp" if secure else "rtmp,tcp",
        options={
            "flvflags": "no_duration_filesize",
            "rw_timeout": str(NETWORK_TIMEOUT_US),
            **({"tls_verify": "1"} if secure else {}),
        },
        global_header=True,
        expendable=True,
    )


def _file(job: _Job) -> Destination:
    path = job.host.media_file(job.output.address, f"{job.field}.url")
    muxer = RECORDINGS[PurePosixPath(path).suffix]
    options = {
        "mpegts": {"max_delay": str(MUX_DELAY_US)},
        # A fragment for each GOP: a file whose writer was killed plays up to there.
        "mp4": {"movflags": "+frag_keyframe+empty_moov+default_base_moof"},
    }
    return Destination(
        muxer=muxer,
        url=f"file:{path}",
        streams=job.plan.streams(job.carried),
        protocols="file",
        # FFmpeg collects 256 KiB before it writes to a file: ten seconds of a small picture, lost if it is killed.
        options={"flush_packets": "1", **options.get(muxer, {})},
        global_header=muxer != "mpegts",
    )


KINDS: Mapping[str, Callable[[_Job], Destination]] = {
    "udp": _udp,
    "hls": _hls,
    "rtmp": _rtmp,
    "rtmps": _rtmp,
    "file": _file,
}
"""How each scheme of output is written."""


def _tree(spec: ChannelSpec, output: Output, host: HostFacts, where: str) -> HlsTree:
    directory = host.hls_directory(output.address, f"{where}.url")
    carried = spec.carried(output)
    names = [*(rendition.name for rendition in carried), *_shared_sounds(carried)]
    return HlsTree(
        directory=directory,
        playlists=tuple(directory / name / "index.m3u8" for name in names),
        master=directory / "master.m3u8",
    )


def _shared_sounds(carried: Sequence[Rendition]) -> dict[str, Rendition]:
    """Name of each sound that has a playlist of its own, and a rung that it belongs to.

    A stream can be in one playlist only. So where two rungs share a sound, every sound gets its own playlist, and the
    rungs refer to it; otherwise each rung's segments hold its sound.
    """
    distinct: list[Rendition] = []
    for rendition in carried:
        if rendition.audio is not None and all(rendition.audio != other.audio for other in distinct):
            distinct.append(rendition)
    if len(distinct) == sum(rendition.audio is not None for rendition in carried):
        return {}
    taken = {rendition.name for rendition in carried}
    free = (name for number in range(1, 2 * len(carried) + 2) if (name := f"audio{number}") not in taken)
    return dict(zip(free, distinct, strict=False))


def _variants(carried: Sequence[Rendition], plan: Plan) -> str:
    """The ``var_stream_map`` of a ladder; streams are numbered within this output, not within the plan."""
    streams = plan.streams(carried)
    videos = [stream for stream in streams if stream.startswith("v")]
    audios = [stream for stream in streams if stream.startswith("a")]
    shared = _shared_sounds(carried)
    entries: list[str] = []
    for rendition in carried:
        parts = [f"v:{videos.index(f'v:{plan.video(rendition)}')}"]
        if rendition.audio is not None:
            parts.append(
                next(f"agroup:{name}" for name, other in shared.items() if other.audio == rendition.audio)
                if shared
                else f"a:{audios.index(f'a:{plan.sounds_of(rendition)[0]}')}"
            )
        entries.append(",".join([*parts, f"name:{rendition.name}"]))
    for name, rendition in shared.items():
        number = audios.index(f"a:{plan.sounds_of(rendition)[0]}")
        entries.append(f"a:{number},agroup:{name},default:yes,name:{name}")
    return " ".join(entries)


def _plain(destination: Destination, interleave_delta: int) -> list[str]:
    arguments = ["-protocol_whitelist", destination.protocols, "-max_interleave_delta", str(interleave_delta)]
    for name, value in destination.options.items():
        arguments += [f"-{name}", value]
    return [*arguments, "-f", destination.muxer, destination.url]


def _slave(destination: Destination, interleave_delta: int, global_header: bool) -> str:
    options = {
        "select": ",".join(destination.streams),
        "f": destination.muxer,
        "onfail": "ignore" if destination.expendable else "abort",
        "protocol_whitelist": destination.protocols,
        "max_interleave_delta": str(interleave_delta),
        **destination.options,
    }
    if global_header and not destination.global_header:
        options["bsfs/v"] = "dump_extra"
    if destination.expendable:
        options |= {"use_fifo": "1", "fifo_options": tee.option_list(RECOVERY)}
    return tee.slave(options, destination.url)
