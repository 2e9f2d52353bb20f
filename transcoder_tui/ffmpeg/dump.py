"""What FFmpeg itself prints of a source when it opens it, for hosts that have no ffprobe.

The form is the same from 4.4 to 9, with three wrinkles: from 7 on the name of the decoder stands behind the codec
where it has another name; at ``-loglevel verbose`` reference frames and the coded size are told as well; and inputs
are numbered, of which a test pattern has two.
"""

import re
from dataclasses import dataclass, field

from transcoder_tui.ffmpeg.diagnosis import parse_line
from transcoder_tui.models.probe import FieldOrder, Kind, Probe, ProbedProgram, ProbedStream

_INPUT = re.compile(r"Input #\d+, (?P<container>\S+), from ")
_DURATION = re.compile(
    r"  Duration: (?:N/A|(?P<h>\d+):(?P<m>\d\d):(?P<s>\d\d(?:\.\d+)?)),"
    r".* bitrate: (?:N/A|(?P<rate>\d+) kb/s)"
)
_PROGRAM = re.compile(r"  Program (?P<number>\d+)")
_NO_PROGRAM = re.compile(r"  No Program")
_STREAM = re.compile(
    r"  Stream #(?P<input>\d+):(?P<index>\d+)(?:\[0x(?P<id>[0-9a-f]+)\])?(?:\((?P<language>[^)]*)\))?: "
    r"(?P<kind>Video|Audio|Subtitle|Data|Attachment|Unknown): (?P<rest>.*)"
)
_TAG = re.compile(r"      (?P<name>service_name|service_provider|variant_bitrate) *: (?P<value>.*)")
_ENDS = re.compile(r"Output #|Stream mapping:|Press \[q\]|At least one output file")
"""What comes after the inputs."""

_REFERENCES = re.compile(r", \d+ reference frames?")
_GROUP = re.compile(r" \(([^()]*(?:\([^()]*\))?[^()]*)\)")
_DECODER = re.compile(r"[a-z][a-z0-9_]*")
"""Names of decoders are small letters throughout; no profile is."""
_SIZE = re.compile(r"(?P<size>\d+x\d+)(?: \(\d+x\d+\))?(?: \[SAR (?P<aspect>\d+:\d+) DAR \d+:\d+\])?")
_DISPOSITIONS = re.compile(
    r"(?: \((?:default|dub|original|comment|lyrics|karaoke|forced|hearing impaired|visual impaired|clean effects"
    r"|attached pic|timed thumbnails|captions|descriptions|metadata|dependent|still image|non-diegetic|multilayer)\))+$"
)
_ORDERS: tuple[tuple[str, FieldOrder], ...] = (
    ("progressive", "progressive"),
    ("top coded first (swapped)", "bottom first"),
    ("bottom coded first (swapped)", "top first"),
    ("top first", "top first"),
    ("bottom first", "bottom first"),
)
_KINDS: dict[str, Kind] = {
    "Video": "video",
    "Audio": "audio",
    "Subtitle": "subtitle",
    "Data": "data",
    "Attachment": "attachment",
    "Unknown": "unknown",
}
_FACTORS = {"": 1, "k": 1000}


@dataclass
class _Found:
    container: str = ""
    duration_s: float | None = None
    bitrate: int | None = None
    programs: list[ProbedProgram] = field(default_factory=list)
    streams: dict[tuple[int, int], ProbedStream] = field(default_factory=dict)


def read_dump(log: str, source: str) -> Probe | None:
    """What an FFmpeg found.

    Args:
        log: What it wrote at ``-loglevel +level+info`` or ``verbose``.
        source: The source in words, secrets masked.

    Returns:
        None where it found no streams.
    """
    found, program = _Found(), None
    for line in log.splitlines():
        text = parse_line(line).text
        if _ENDS.match(text):
            break
        if match := _INPUT.match(text):
            found.container = found.container or match["container"]
        elif not found.streams and (match := _DURATION.match(text)):
            found.duration_s, found.bitrate = _duration(match), _kilobits(match["rate"])
        elif match := _PROGRAM.match(text):
            program = ProbedProgram(number=int(match["number"]))
            found.programs.append(program)
        elif _NO_PROGRAM.match(text):
            program = None
        elif match := _STREAM.match(text):
            key = int(match["input"]), int(match["index"])
            stream = found.streams.setdefault(key, _stream(match, len(found.streams), found.container))
            if program is not None:
                program.streams.append(stream.index)
        elif program is not None and not program.streams and (match := _TAG.match(text)):
            _tag(program, match["name"], match["value"])
    if not found.streams:
        return None
    # Streams are told by program, and counted in the order of the source.
    streams = [stream for _, stream in sorted(found.streams.items())]
    places = {stream.index: place for place, stream in enumerate(streams)}
    for member in found.programs:
        member.streams = sorted(places[index] for index in member.streams)
    for place, stream in enumerate(streams):
        stream.index = place
    return Probe(
        source=source,
        container=found.container,
        duration_s=found.duration_s,
        # Of HLS it would be the bitrate of the playlist's own text.
        bitrate=None if found.container == "hls" else found.bitrate,
        programs=found.programs,
        streams=streams,
        found_by="ffmpeg",
    )


def _duration(match: re.Match[str]) -> float | None:
    if match["h"] is None:
        return None
    return round(int(match["h"]) * 3600 + int(match["m"]) * 60 + float(match["s"]), 2) or None


def _kilobits(text: str | None) -> int | None:
    return int(text) * 1000 or None if text else None


def _tag(program: ProbedProgram, name: str, value: str) -> None:
    if name == "service_name":
        program.name = value
    elif name == "service_provider":
        program.provider = value
    elif value.isdigit():
        program.bitrate = int(value)


def _stream(match: re.Match[str], index: int, container: str) -> ProbedStream:
    kind = _KINDS[match["kind"]]
    rest = _REFERENCES.sub("", match["rest"])
    dispositions = _DISPOSITIONS.search(rest)
    codec, profile = _codec(rest)
    stream = ProbedStream(
        index=index,
        pid=int(match["id"], 16) if match["id"] and container == "mpegts" else None,
        kind=kind,
        codec=codec,
        profile=profile,
        language="" if match["language"] in (None, "und") else match["language"],
        dispositions=re.findall(r"\(([^)]*)\)", dispositions[0]) if dispositions else [],
    )
    if kind == "video":
        _read_picture(stream, rest)
    elif kind == "audio":
        _read_sound(stream, rest)
    if rate := re.search(r", (\d+) kb/s", rest):
        stream.bitrate = _kilobits(rate[1])
    return stream


def _codec(rest: str) -> tuple[str, str]:
    name = re.split(r"[ ,]", rest, maxsplit=1)[0]
    profile = ""
    place = len(name)
    while match := _GROUP.match(rest, place):
        place = match.end()
        if " / 0x" not in match[1] and not _DECODER.fullmatch(match[1]):
            profile = match[1]
    return ("" if name in ("none", "unknown") else name), profile


def _read_picture(stream: ProbedStream, rest: str) -> None:
    if size := re.search(rf", {_SIZE.pattern}", rest):
        stream.size = size["size"]
        stream.sample_aspect = size["aspect"] or ""
        format_ = re.match(r".*?, (?P<name>[a-z0-9_]+)(?P<about>\(.*\))?$", rest[: size.start()])
        if format_:
            stream.pixel_format = "" if format_["name"] == "none" else format_["name"]
            about = format_["about"] or ""
            stream.field_order = next((order for words, order in _ORDERS if words in about), "")
    if rate := re.search(r", (\d+(?:\.\d+)?)(k?) fps", rest):
        stream.fps = round(float(rate[1]) * _FACTORS[rate[2]], 2) or None


def _read_sound(stream: ProbedStream, rest: str) -> None:
    if sound := re.search(r", (\d+) Hz(?:, ([^,]+))?", rest):
        stream.sample_rate = int(sound[1]) or None
        stream.layout = sound[2] or ""
