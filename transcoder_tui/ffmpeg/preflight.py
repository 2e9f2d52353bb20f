"""A short run of a channel's own filter graph and encoders on generated pictures, before it goes on air.

A 4-rung ladder takes 0.12 to 0.34 s, and every mistake in encoders and filters shows without touching the network.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transcoder_tui.errors import Fault
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import ENVIRONMENT, Command, encoding_arguments
from transcoder_tui.ffmpeg.diagnosis import MAX_QUOTE, Verdict, parse_line
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.filters import FILTER_THREADS
from transcoder_tui.ffmpeg.inputs import Input
from transcoder_tui.ffmpeg.outputs import destinations, needs_global_header
from transcoder_tui.ffmpeg.patterns import CONSEQUENCE
from transcoder_tui.ffmpeg.plan import Plan, plan_streams
from transcoder_tui.models.channel import ChannelSpec

LENGTH_S = 0.1
"""Seconds of media that are encoded: two or three frames open every filter and encoder."""
PICTURE = "testsrc2=size=1920x1080:rate=25,format=yuv420p,setfield=tff"
"""Interlaced HD as most headends receive it, so that deinterlacer and scaler have something to do."""
SOUND = "sine=frequency=1000:sample_rate=48000,aformat=channel_layouts=stereo"

_STREAM = re.compile(r"(?:output stream #?|\[[avs](?:ost|enc)#)0:(\d+)")
"""How FFmpeg names the stream that it could not encode: 5.1 and 9.0."""
_UNKNOWN = re.compile(
    r"(?:error parsing option|unknown option|invalid value for|bad value for)\W+([\w-]+)", re.IGNORECASE
)
"""What encoders only warn of, and go on without."""
_PREFIX = re.compile(r"^(?:\[[^\]]+\] )*(?:x26[45] \[error\]: )?")
_CODER = re.compile(r"^(?:\[[^\]]*\] )*?\[?(?:enc:)?(?:lib)?(x26[45]|[a-z0-9_]+)(?: \[error\]| @)")
"""The encoder or filter that wrote a line."""
_OVERLAY = re.compile(r"drawtext|overlay|movie|font", re.IGNORECASE)
_VIDEO_WORDS = {
    "level": "level",
    "profile": "profile",
    "preset": "preset",
    "tune": "tune",
    "bit_depth": "bit depth|pix_fmt|pixel format",
    "vbv": "vbv|bufsize|rc buffer",
    "bitrate": "bitrate|bit rate|bit_rate",
    "size": "width|height|resolution|dimension",
    "fps": "frame ?rate|timebase",
}
"""Fields of a picture, and how encoders name them in a complaint."""
_AUDIO_WORDS = {
    "sample_rate": "sample ?rate|sample_rate",
    "channels": "channel",
    "bitrate": "bitrate|bit rate|bit_rate",
}
"""The same for a sound."""


@dataclass(frozen=True)
class Preflight:
    """A test that is ready to be run."""

    command: Command
    fields: tuple[str, ...]
    """For each stream that it encodes, the part of the document that it comes from, such as ``renditions[1].video``."""
    options: Mapping[str, str]
    """Further options of the encoders, each with its field."""


def build_preflight(spec: ChannelSpec, binary: Binary, host: HostFacts) -> Preflight | None:
    """The test of a channel; what is copied has no part in it.

    Channels that encode alike get the same command.

    Args:
        spec: The channel.
        binary: The FFmpeg that will run it.
        host: This machine.

    Returns:
        None where nothing is encoded.

    Raises:
        HostFault: Where this machine or its FFmpeg lacks something; names the field.
        InvalidInput: Where a file lies outside the media roots; names the field.
    """
    whole = plan_streams(spec)
    plan = Plan(
        tuple(rendition for rendition in whole.renditions if not rendition.video.is_copy),
        tuple(sound for sound in whole.sounds if not sound.audio.is_copy),
    )
    if not plan.renditions and not plan.sounds:
        return None
    global_header = needs_global_header(destinations(spec, whole, host))
    arguments = [
        *("-hide_banner", "-nostats", "-loglevel", "+level+info", *FILTER_THREADS),
        *(read := _generated(len(spec.tracks))).args,
        *encoding_arguments(spec, plan, read, binary, host, global_header, spec.sources[0].deinterlace),
        *("-t", f"{LENGTH_S:g}", "-f", "null", "-"),
    ]
    command = Command((str(binary.path), *arguments), {**ENVIRONMENT, **binary.environment}, ())
    videos = [f"renditions[{spec.renditions.index(rendition)}].video" for rendition in plan.renditions]
    sounds = [rendition.audio for rendition in spec.renditions]
    audios = [f"renditions[{sounds.index(sound.audio)}].audio" for sound in plan.sounds]
    options = {
        pair.partition("=")[0]: f"{field}.options"
        for field, rendition in zip(videos, plan.renditions, strict=True)
        for pair in (rendition.video.options or "").split()
    }
    return Preflight(command, (*videos, *audios), options)


def _generated(tracks: int) -> Input:
    lavfi = ("-protocol_whitelist", "none", "-f", "lavfi", "-i")
    sounds = [part for _ in range(tracks) for part in (*lavfi, SOUND)]
    return Input((*lavfi, PICTURE, *sounds), "0:v:0", tuple(f"{number + 1}:a:0" for number in range(tracks)))


def faults_of(test: Preflight, exit_code: int, log: str) -> list[Fault]:
    """What a test found.

    Args:
        test: The test.
        exit_code: How it ended, negative for a signal.
        log: What FFmpeg wrote.

    Returns:
        Nothing where it passed, and where it was ended without a word about why.
    """
    verdict = Verdict("the generated picture")
    for line in log.splitlines():
        verdict.feed(line)
    if exit_code == 0:
        names = dict.fromkeys(match[1] for match in _UNKNOWN.finditer(log) if match[1] in test.options)
        remedy = "correct it, or remove it"
        return [Fault(f"the encoder does not take {name}", remedy, test.options[name]) for name in names]
    if verdict.is_clear:
        return []
    errors = [line for line in log.splitlines() if parse_line(line).level in ("error", "fatal")]
    said = next((line for line in errors if not CONSEQUENCE.search(line)), "")
    diagnosis = verdict.result(abs(exit_code), ours=False)
    cause = f"{_speaker(said)} says: {_PREFIX.sub('', said)[:MAX_QUOTE]}" if said else diagnosis.cause
    return [Fault(cause, diagnosis.remedy, _blamed(test, cause, errors))]


def _speaker(line: str) -> str:
    """Which part of FFmpeg wrote a line."""
    named = _CODER.search(line)
    return named[1] if named else "FFmpeg"


def _blamed(test: Preflight, cause: str, errors: Sequence[str]) -> str:
    if overlay := _OVERLAY.search(cause):
        return "overlay.logo" if overlay[0].lower() in ("movie", "overlay") else "overlay.text"
    if (unknown := _UNKNOWN.search(cause)) and unknown[1] in test.options:
        return test.options[unknown[1]]
    named = next((int(match[1]) for line in errors if (match := _STREAM.search(line))), 0)
    field = test.fields[min(named, len(test.fields) - 1)]
    words = _VIDEO_WORDS if field.endswith(".video") else _AUDIO_WORDS
    part = next((name for name, pattern in words.items() if re.search(pattern, cause, re.IGNORECASE)), "")
    return f"{field}.{part}" if part else field
