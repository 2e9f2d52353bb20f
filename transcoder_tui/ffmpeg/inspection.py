"""Looking into a source: the commands that describe and measure it, and what comes of both.

A source is described by ffprobe where there is one, else by FFmpeg. Then FFmpeg copies it for a while to nowhere, to
count what each stream takes, and decodes a few pictures of those streams that do not say how they are scanned.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import Command
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.ffprobe import FOREIGN, SHOWS
from transcoder_tui.ffmpeg.inputs import OF_MULTIPLEX, build_input, told_otherwise
from transcoder_tui.ffmpeg.probe import command_on
from transcoder_tui.models.probe import FieldOrder, Probe, ProbedStream
from transcoder_tui.models.source import Source

FIELD = "source"
"""What the source is called in refusals."""
ANALYSE_US = 5_000_000
"""Microseconds of media in which streams are looked for: FFmpeg 9.0 goes to this limit where an MPTS carries more than
one MPEG layer 2 sound (measured), and 10 s of that leave no time to measure anything."""
MEASURE_S = 3
"""Seconds of media that are counted."""
START_S = 1.0
"""Seconds that FFmpeg may take to start on a busy host."""
SHORTEST_S = 0.5
"""Seconds below which a bitrate would say nothing."""
LOOKED_AT = 8
"""Pictures of a stream that are decoded to see how they are scanned."""

_LOG = ("-hide_banner", "-nostats", "-loglevel", "+level+verbose")
"""``verbose``: only there FFmpeg says how many bytes it read."""
_PACED = {"-re": 0, "-stream_loop": 1, "-readrate": 1, "-readrate_initial_burst": 1}
"""Options by which a file is played in real time for ever, with the number of their values."""
_READ = re.compile(r"Statistics: (\d+) bytes read")
_PACKET = re.compile(r"(\d+), +(-?\d{1,18}), +-?\d+, +(\d{1,18}), +(\d{1,18}), ")
_TIME_BASE = re.compile(r"#tb (\d+): (\d+)/(\d+)")
_SCANNED = re.compile(r"\[showinfo@(?P<stream>\d+) @.* i:(?P<scan>[PTB]) ")
_ORDERS: Mapping[str, FieldOrder] = {"P": "progressive", "T": "top first", "B": "bottom first"}


def build_ffprobe(
    source: Source, ffprobe: Path, binary: Binary, host: HostFacts, analyse_us: int = ANALYSE_US
) -> Command | None:
    """Has ffprobe describe a source.

    Args:
        source: The source.
        ffprobe: Where ffprobe is.
        binary: The FFmpeg in use, whose ffprobe needs the same environment.
        host: This machine.
        analyse_us: Microseconds of media in which streams are looked for.

    Returns:
        None where ffprobe cannot: it reads one input, and a test pattern has two.

    Raises:
        HostFault: Where this machine lacks the interface.
        InvalidInput: Where a file lies outside the media roots.
    """
    read = _without(FOREIGN, _opened(source, host, analyse_us))
    if read.count("-i") > 1:
        return None
    return command_on(source, binary, ["-hide_banner", "-loglevel", "+level+info", *SHOWS, *read], program=ffprobe)


def build_description(source: Source, binary: Binary, host: HostFacts, analyse_us: int = ANALYSE_US) -> Command:
    """Has FFmpeg describe a source; it always ends with an error, since it is given no output.

    Args:
        source: The source.
        binary: The FFmpeg in use.
        host: This machine.
        analyse_us: Microseconds of media in which streams are looked for.

    Raises:
        HostFault: Where this machine lacks the interface.
        InvalidInput: Where a file lies outside the media roots.
    """
    return command_on(source, binary, [*_LOG, *_opened(source, host, analyse_us)])


def build_measurement(source: Source, found: Probe | None, binary: Binary, host: HostFacts) -> Command:
    """Has FFmpeg copy :data:`MEASURE_S` seconds to nowhere and list the packets on standard output.

    Args:
        source: The source.
        found: What it carries; None describes it by the way, where it cannot be opened twice.
        binary: The FFmpeg in use.
        host: This machine.

    Raises:
        HostFault: Where this machine lacks the interface.
        InvalidInput: Where a file lies outside the media roots.
    """
    opened = _opened(source, host)
    arguments = [*_LOG, *opened]
    if found is None:
        arguments += [part for number in range(opened.count("-i")) for part in ("-map", str(number))]
    else:
        arguments += [part for stream in _measurable(found) for part in ("-map", _specifier(stream, opened))]
    arguments += ["-c", "copy", "-copy_unknown", "-t", str(MEASURE_S), "-f", "framecrc", "pipe:1"]
    for stream in _unclear(found) if found else ():
        arguments += ["-map", _specifier(stream, opened), "-frames:v", str(LOOKED_AT)]
        arguments += ["-filter:v", f"showinfo@{stream.index}", "-f", "null", "-"]
    return command_on(source, binary, arguments)


def is_worth_measuring(found: Probe) -> bool:
    """Whether there is a stream that can be copied; what a test pattern would take says nothing."""
    return found.container != "lavfi" and bool(_measurable(found))


@dataclass(frozen=True)
class Read:
    """What a measurement said."""

    packets: bytes
    """Its standard output."""
    log: str
    took_s: float
    """Seconds from its start to its end."""


def measured(found: Probe, read: Read, *, at_own_pace: bool) -> Probe:
    """The description with what the measurement found.

    Args:
        found: What the source carries.
        read: What the measurement said.
        at_own_pace: Whether the source sends at its own pace, so that its bytes per second are its bitrate.
    """
    spans, sizes = _packets(read.packets)
    copied = _measurable(found)
    rates = {
        stream.index: round(sizes[place] * 8 / span)
        for place, stream in enumerate(copied)
        if (span := spans.get(place, 0.0)) >= SHORTEST_S
    }
    orders = _orders(read.log)
    streams = [
        stream.model_copy(
            update={
                "measured_bitrate": rates.get(stream.index),
                "field_order": stream.field_order or orders.get(stream.index, ""),
            }
        )
        for stream in found.streams
    ]
    update: dict[str, object] = {"streams": streams}
    if rates:
        update["measured_s"] = round(max(spans.values()), 1)
    counted = sum(int(match[1]) for match in _READ.finditer(read.log))
    if at_own_pace and found.bitrate is None and counted and rates:
        longest = max(spans.values())
        # Where FFmpeg read on after the seconds that it copied, those were already there before it began to copy.
        counted_s = longest if read.took_s - longest < START_S else read.took_s
        update["bitrate"] = max(round(counted * 8 / counted_s), sum(rates.values()))
    return found.model_copy(update=update)


def _opened(source: Source, host: HostFacts, analyse_us: int = ANALYSE_US) -> list[str]:
    """The arguments that open a source, without those that play a file in real time, and with less patience."""
    # It may be a multiplex, whatever is chosen of it.
    return told_otherwise(
        _without(_PACED, build_input(source, host, FIELD).args), {**OF_MULTIPLEX, "-analyzeduration": str(analyse_us)}
    )


def _without(options: Mapping[str, int], arguments: Sequence[str]) -> list[str]:
    left: list[str] = []
    rest: Iterator[str] = iter(arguments)
    for argument in rest:
        if argument in options:
            for _ in range(options[argument]):
                next(rest)
        else:
            left.append(argument)
    return left


def _measurable(found: Probe) -> list[ProbedStream]:
    return [stream for stream in found.streams if stream.is_complete]


def _unclear(found: Probe) -> list[ProbedStream]:
    """Pictures that do not say how they are scanned."""
    return [stream for stream in _measurable(found) if stream.kind == "video" and not stream.field_order]


def _specifier(stream: ProbedStream, opened: Sequence[str]) -> str:
    """A stream as ``-map`` names it: by its PID where it has one, because the order may change from look to look."""
    if stream.pid is not None:
        return f"0:i:{stream.pid:#x}"
    # A test pattern is read as one input for each stream.
    return f"{stream.index}:0" if opened.count("-i") > 1 else f"0:{stream.index}"


def _packets(listed: bytes) -> tuple[dict[int, float], Counter[int]]:
    """Seconds and bytes of each stream that was copied, by its place among them."""
    bases: dict[int, Fraction] = {}
    first: dict[int, int] = {}
    end: dict[int, int] = {}
    sizes: Counter[int] = Counter()
    for line in listed.decode(errors="replace").splitlines():
        if base := _TIME_BASE.match(line):
            bases[int(base[1])] = Fraction(int(base[2]), int(base[3]))
        elif packet := _PACKET.match(line):
            place, dts, duration, size = map(int, packet.groups())
            first.setdefault(place, dts)
            end[place] = max(dts + duration, end.get(place, dts))
            sizes[place] += size
    return {place: float((end[place] - first[place]) * bases[place]) for place in first if place in bases}, sizes


def _orders(log: str) -> dict[int, FieldOrder]:
    """How most of the decoded pictures of each stream are scanned."""
    seen: dict[int, Counter[str]] = {}
    for line in log.splitlines():
        if match := _SCANNED.search(line):
            seen.setdefault(int(match["stream"]), Counter())[match["scan"]] += 1
    return {stream: _ORDERS[scans.most_common(1)[0][0]] for stream, scans in seen.items()}
