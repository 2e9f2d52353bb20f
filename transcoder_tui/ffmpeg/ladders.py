"""Ladders in segments: HLS and DASH, and what they keep on disk."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from pathlib import Path

from transcoder_tui.ffmpeg.destination import MUX_DELAY_US, RECOVERY, Destination, Job
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.plan import Plan, plan_streams
from transcoder_tui.ffmpeg.recording import BEGINNING
from transcoder_tui.ffmpeg.tee import option_list
from transcoder_tui.ffmpeg.texts import carried_texts
from transcoder_tui.ffmpeg.transport import free_start_pid, picture_pids
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.output import Output
from transcoder_tui.models.rendition import Audio, Rendition
from transcoder_tui.models.units import frame_rate

WINDOW = 6
"""Segments that a playlist lists where the output does not say (RFC 8216 bis asks for at least six)."""
KEPT_BEHIND = 4
"""Segments that stay on disk after a DASH manifest has dropped them, for players that have just read it."""
TS_CLOCK_HZ = 90_000
"""Ticks of a timestamp per second (ISO/IEC 13818-1)."""
PLAYLIST = "index.m3u8"
"""Name of an HLS media playlist, in the directory of its rung or sound."""
SEGMENT = re.compile(r"s_\d{8,}\.(?:ts|m4s)(?:\.tmp)?")
"""Name of an HLS segment, finished or not."""
DASH_SEGMENT = re.compile(r"(?:init|chunk)-(?P<run>(?:\w+-)?stream)\d+(?:-\d+)?\.(?:m4s|webm)(?:\.tmp)?")
"""Name of a DASH segment, finished or not: ``run`` is the same in all of a run and differs from every other's."""

HLS_FLAGS = (
    "independent_segments",
    "program_date_time",
    "temp_file",
    "omit_endlist",
    "append_list",
)
"""``append_list`` continues the numbering after a restart, and where the output is opened again because its directory
was gone; ``omit_endlist`` leaves the end of the playlist to us, since an FFmpeg that ends itself is started again."""


@dataclass(frozen=True)
class Track:
    """One sound with a playlist of its own."""

    name: str
    """Of its playlist."""
    sound: int
    """Its number among the plan's sounds."""
    language: str
    """ISO 639-2 code; empty where it is not known."""
    place: int
    """Position among the channel's sound tracks, from 0."""
    audio: Audio


@dataclass(frozen=True)
class HlsTree:
    """What one ``hls://`` or ``dash://`` output keeps on disk."""

    output: Output
    directory: Path
    """Holds the master playlist."""
    rungs: Mapping[Path, Rendition]
    """The media playlist of each rung."""
    tracks: Mapping[Path, Track]
    """The media playlist of each sound that has its own."""
    segment_s: float
    """Length of a segment."""

    @property
    def is_dash(self) -> bool:
        """Whether there is a DASH manifest beside the playlists."""
        return self.output.address.scheme == "dash"

    @property
    def forgets(self) -> bool:
        """Whether segments are deleted once they have left the window."""
        return self.output.delete is not False and self.output.playlist in (None, "live")

    @property
    def manifest(self) -> Path:
        """The DASH manifest."""
        return self.directory / "manifest.mpd"

    @property
    def playlists(self) -> tuple[Path, ...]:
        """The media playlists: those of the rungs, then those of the sounds."""
        return (*self.rungs, *self.tracks)

    @property
    def master(self) -> Path:
        """The master playlist."""
        return self.directory / "master.m3u8"

    @property
    def key_info(self) -> Path:
        """Tells FFmpeg which key is in use, where segments are encrypted; for its eyes only."""
        return self.directory / ".key"


def hls(job: Job) -> Destination:
    """HLS with segments of TS or fMP4."""
    output, tree = job.output, tree_of(job.spec, job.output, job.host, job.field)
    fragmented = output.format == "fmp4"
    grows = output.playlist in ("event", "vod")
    flags = [*HLS_FLAGS]
    if tree.forgets:
        flags.append("delete_segments")
    if output.encryption is not None:
        # Whether a new key is due is for the worker to say, which also makes one where the directory was gone.
        flags.append("periodic_rekey")
    options = {
        "hls_time": _segment_length(job),
        "hls_list_size": "0" if grows else str(output.window or WINDOW),
        "hls_delete_threshold": "2",
        "hls_segment_type": "fmp4" if fragmented else "mpegts",
        "hls_flags": "+".join(flags),
        "master_pl_name": tree.master.name,
        "var_stream_map": _variants(job),
        "hls_segment_filename": f"{tree.directory}/%v/s_%08d.{'m4s' if fragmented else 'ts'}",
        "max_delay": str(MUX_DELAY_US),
    }
    if grows:
        # What FFmpeg calls a VOD is written at its end only; we make one of it when the channel is stopped.
        options["hls_playlist_type"] = "event"
    if output.encryption is not None:
        options["hls_key_info_file"] = str(tree.key_info)
    if taken := [] if fragmented else list(picture_pids(job.spec, job.plan).values()):
        options["hls_segment_options"] = option_list({"mpegts_start_pid": str(free_start_pid(taken))})
    return Destination(
        muxer="hls",
        # An absolute path without "file:", because the muxer would make a directory of that name.
        url=f"{tree.directory}/%v/index.m3u8",
        streams=job.streams,
        protocols="file,crypto" if output.encryption else "file",
        options=options,
        # The master playlist names the codecs, which FFmpeg reads from there; alone, the muxer asks for it by itself.
        global_header=True,
        fifo=RECOVERY,
    )


def dash(job: Job) -> Destination:
    """DASH, and HLS playlists of the same segments."""
    output, tree = job.output, tree_of(job.spec, job.output, job.host, job.field)
    streams = job.streams
    videos = [str(number) for number, stream in enumerate(streams) if stream.startswith("v")]
    sets = [videos, *_adaptations(job, streams)]
    # FFmpeg numbers from 1 on at each start. A name that was used before would be answered from a cache.
    run = f"{time.strftime(BEGINNING, time.gmtime(job.host.taken_at))}-stream$RepresentationID$"
    options = {
        "seg_duration": _segment_length(job),
        "window_size": str(output.window or WINDOW),
        "extra_window_size": str(KEPT_BEHIND),
        "adaptation_sets": " ".join(f"id={number},streams={','.join(one)}" for number, one in enumerate(sets)),
        "init_seg_name": f"init-{run}.$ext$",
        "media_seg_name": f"chunk-{run}-$Number%05d$.$ext$",
        "hls_playlist": "1",
        "hls_master_name": tree.master.name,
    }
    if output.low_latency:
        options |= {"ldash": "1", "streaming": "1", "use_template": "1", "use_timeline": "0"}
    return Destination(
        muxer="dash",
        url=str(tree.manifest),
        streams=streams,
        protocols="file",
        options=options,
        global_header=True,
        fifo=RECOVERY,
    )


def _adaptations(job: Job, streams: Sequence[str]) -> list[list[str]]:
    """For each sound track, the streams that hold it: players switch within them, and choose between them."""
    by_track: dict[int, list[str]] = {}
    for number, stream in enumerate(streams):
        if stream.startswith("a"):
            by_track.setdefault(job.plan.sounds[int(stream[2:])].track, []).append(str(number))
    return list(by_track.values())


def _segment_length(job: Job) -> str:
    """The length of a segment in seconds, as long as its GOPs really are.

    FFmpeg cuts at the first keyframe from N x the length on. At 29.97 fps two GOPs last 4.004 s: with 4 instead, the
    error adds up to a GOP within half an hour, and a segment comes out half as long (measured).
    """
    video = job.carried[0].video
    gops = round(job.spec.segment(job.output) / video.gop)
    length = gops * video.gop_frames / frame_rate(video.fps)
    if (length * TS_CLOCK_HZ).denominator != 1:
        # The keyframe's timestamp is rounded; it must not come out before the cut.
        length -= Fraction(1, TS_CLOCK_HZ)
    return f"{float(length):.6f}".rstrip("0").rstrip(".")


def tree_of(spec: ChannelSpec, output: Output, host: HostFacts, where: str) -> HlsTree:
    """What an output keeps on disk.

    Args:
        spec: The channel.
        output: One of its outputs, ``hls://`` or ``dash://``.
        host: This machine.
        where: The output's path in the document.

    Raises:
        HostFault: Where this machine lacks a usable HLS root.
    """
    directory = host.hls_directory(output.address, f"{where}.url")
    carried, plan = spec.carried(output), plan_streams(spec)
    if output.address.scheme == "dash":
        # One playlist for each stream, numbered in their order.
        videos, sounds = sorted(carried, key=plan.video), plan.sounds_in(carried)
        rungs = {directory / f"media_{number}.m3u8": rendition for number, rendition in enumerate(videos)}
        tracks = {
            directory / f"media_{number}.m3u8": _track(spec, plan, sound, f"media_{number}")
            for number, sound in enumerate(sounds, len(videos))
        }
    else:
        rungs = {directory / rendition.name / PLAYLIST: rendition for rendition in carried}
        tracks = {directory / track.name / PLAYLIST: track for track in _tracks(spec, carried, plan)}
    return HlsTree(output, directory, rungs, tracks, spec.segment(output))


def _tracks(spec: ChannelSpec, carried: Sequence[Rendition], plan: Plan) -> list[Track]:
    """The sounds that have a playlist of their own.

    A stream can be in one playlist only, and a rung's segments hold one sound. So where two rungs share a sound, or
    there are several tracks, every sound gets its own playlist, and the rungs refer to them; otherwise each rung's
    segments hold its sound.
    """
    audible = [rendition for rendition in carried if rendition.audio is not None]
    sounds = plan.sounds_in(carried)
    if len(sounds) == len(audible) and len(spec.tracks) == 1:
        return []
    taken = {rendition.name for rendition in carried}
    names = (name for number in count(1) if (name := f"audio{number}") not in taken)
    return [_track(spec, plan, sound, name) for sound, name in zip(sounds, names, strict=False)]


def _track(spec: ChannelSpec, plan: Plan, sound: int, name: str) -> Track:
    place = plan.sounds[sound].track
    return Track(name, sound, spec.tracks[place].language, place, plan.sounds[sound].audio)


def _variants(job: Job) -> str:
    """The ``var_stream_map`` of a ladder; streams are numbered within this output, not within the plan."""
    spec, carried, plan = job.spec, job.carried, job.plan
    texts = len(carried_texts(spec, job.output, job.texts))
    videos = sorted(plan.video(rendition) for rendition in carried)
    sounds = plan.sounds_in(carried)
    tracks = {track.sound: track for track in _tracks(spec, carried, plan)}
    entries: list[str] = []
    for number, rendition in enumerate(carried):
        parts = [f"v:{videos.index(plan.video(rendition))}"]
        own = plan.sounds_of(rendition)
        if own and tracks:
            # A group has the name of its first track.
            parts.append(f"agroup:{tracks[own[0]].name}")
        elif own:
            parts.append(f"a:{sounds.index(own[0])}")
        # Without a group, FFmpeg says nothing of it in the master playlist: players see it once it is right.
        parts += [f"s:{number}"] if number < texts else []
        entries.append(",".join([*parts, f"name:{rendition.name}"]))
    for sound, track in tracks.items():
        first = next(other for other in tracks.values() if other.audio == track.audio)
        parts = [f"a:{sounds.index(sound)}", f"agroup:{first.name}"]
        parts += [f"language:{track.language}"] if track.language else []
        parts += ["default:yes"] if track is first else []
        entries.append(",".join([*parts, f"name:{track.name}"]))
    return " ".join(entries)
