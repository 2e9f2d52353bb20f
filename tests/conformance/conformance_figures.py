"""What is measured, how much of it is allowed, which tool measures it, and the table of what was found."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One property of an output; less is better, and ``at_most`` still conforms."""

    name: str
    at_most: float
    unit: str
    tool: str
    """What measures it; nothing of it is our own."""
    rule: str
    """Where the limit comes from."""


@dataclass(frozen=True)
class Reading:
    """A figure as it was measured."""

    figure: Figure
    value: float

    @property
    def conforms(self) -> bool:
        return self.value <= self.figure.at_most

    def __str__(self) -> str:
        return f"{self.figure.name} {written(self.value, self.figure.unit)}"


SYNC = Figure("bytes out of sync", 0, "", "dvbinfo", "TR 101 290 1.1, 1.2")
CC_ERRORS = Figure("CC errors", 0, "", "tsreport, ffprobe", "TR 101 290 1.4")
PAT_GAP = Figure("PAT interval", 500, "ms", "tsreport", "TR 101 290 1.3")
PMT_GAP = Figure("PMT interval", 500, "ms", "tsreport", "TR 101 290 1.5")
MISSING_PIDS = Figure("PIDs of the PMT that are missing", 0, "", "tsinfo, dvbinfo", "TR 101 290 1.6")
PCR_GAP = Figure("PCR interval", 40, "ms", "tsreport", "TR 101 290 2.3a")
STORED_PCR_GAP = Figure("PCR interval in files", 100, "ms", "tsreport", "ISO/IEC 13818-1 2.7.2")
PCR_ACCURACY = Figure("PCR inaccuracy", 500, "ns", "tsreport", "TR 101 290 2.4")
PTS_GAP = Figure("PTS interval", 700, "ms", "tsreport", "TR 101 290 2.5")
WRONG_SERVICE = Figure("wrong service entries", 0, "", "tsinfo, dvbinfo", "EN 300 468")
CBR = Figure("rate against muxrate", 0.01, "%", "tsreport", "constant rate")
PACE_100MS = Figure(
    "rate on arrival, median of 100 ms", math.inf, "%", "multicat", "not judged: this machine's load, too"
)
PACE_1S = Figure("rate on arrival, worst 1 s", math.inf, "%", "multicat", "not judged: this machine's load, too")
WRONG_STREAMS = Figure("wrong streams", 0, "", "ffprobe", "the rendition")
BACKWARDS = Figure("timestamps that go back", 0, "", "ffprobe", "ISO/IEC 13818-1")
PICTURE_STEP = Figure("step of the picture", 1.05, "frames", "ffprobe", "no gap, across loops too")
SOUND_GAP = Figure("gap in the sound", 40, "ms", "ffprobe", "one frame of picture")
AV_OFFSET = Figure("A/V offset", 40, "ms", "blackdetect, silencedetect", "EBU R37")
RUNG_BITRATE = Figure("bitrate of a rung over 30 s", 5, "%", "ffprobe", "the rendition")
UNALIGNED = Figure("keyframes not aligned", 0, "", "ffprobe", "RFC 8216 6.2.4")
BANDWIDTH = Figure("BANDWIDTH below the peak", 0, "%", "m3u8, ffprobe", "RFC 8216 4.3.4.2")
AVERAGE_BANDWIDTH = Figure("AVERAGE-BANDWIDTH below the mean", 10, "%", "m3u8", "Apple's HLS authoring specification")
WRONG_SEGMENTS = Figure("wrong kind of segments", 0, "", "m3u8, openssl", "the output")
WRONG_VARIANTS = Figure("wrong CODECS, RESOLUTION, FRAME-RATE", 0, "", "m3u8, ffprobe", "RFC 8216 4.3.4.2")
LONG_SEGMENTS = Figure("segments above TARGETDURATION", 0, "", "m3u8", "RFC 8216 4.3.3.1")
EXTINF = Figure("EXTINF against the segment", 40, "ms", "m3u8, ffprobe", "RFC 8216 4.3.2.1")
PLAYER_ERRORS = Figure("errors of the player", 0, "", "hls.js in Chromium", "plays")
RUNGS_NOT_PLAYED = Figure("rungs not played", 0, "", "hls.js in Chromium", "plays")
RECORDING_GAP = Figure("frames lost between recordings", 0, "", "blackdetect", "nothing is lost at a cut")
WRONG_REPRESENTATIONS = Figure("wrong DASH representations", 0, "", "MPD, ffprobe", "ISO/IEC 23009-1 5.3.7")

FIGURES = {figure.name: figure for figure in globals().values() if isinstance(figure, Figure)}
"""In the order of the table."""


@dataclass(frozen=True)
class Row:
    """A case with one FFmpeg, as it comes through pytest's reports."""

    case: str
    version: str
    values: dict[str, float]
    """The worst reading of each figure."""
    note: str = ""
    """Why it was not measured."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Row":
        return cls(**json.loads(text))

    @property
    def faults(self) -> list[Reading]:
        readings = (Reading(FIGURES[name], value) for name, value in self.values.items())
        return [reading for reading in readings if not reading.conforms]


def worst(readings: Iterable[Reading]) -> dict[str, float]:
    """The highest value of each figure."""
    found: dict[str, float] = {}
    for reading in readings:
        found[reading.figure.name] = max(reading.value, found.get(reading.figure.name, 0.0))
    return found


def written(value: float, unit: str) -> str:
    """A value with its unit, in three digits or so."""
    if math.isinf(value):
        return "-"
    value = round(value, 4)
    number = f"{value:.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"
    return f"{number} {unit}".strip()


def terminal_table(rows: Sequence[tuple[str, Row]]) -> list[str]:
    """A line for each case and version: outcome, then every figure."""
    lines = []
    for outcome, row in sorted(rows, key=lambda one: (one[1].case, one[1].version)):
        shown = "; ".join(str(Reading(FIGURES[name], row.values[name])) for name in FIGURES if name in row.values)
        lines.append(f"{outcome:<7} {row.version:>4}  {row.case:<52} {row.note or shown}")
    return lines


def markdown_table(rows: Sequence[Row]) -> list[str]:
    """The short form: for each figure its limit, its tool, and the worst of all cases with each FFmpeg."""
    versions = sorted({row.version for row in rows if row.values})
    lines = [
        f"| figure | limit | measured by | cases | {' | '.join(f'worst, FFmpeg {version}' for version in versions)} |",
        f"|---|---|---|---|{'---|' * len(versions)}",
    ]
    for name, figure in FIGURES.items():
        having = [row for row in rows if name in row.values]
        if not having:
            continue
        of_each = [[row.values[name] for row in having if row.version == version] for version in versions]
        shown = " | ".join(written(max(values), figure.unit) if values else "-" for values in of_each)
        limit = written(figure.at_most, figure.unit)
        lines.append(f"| {name} | {limit} ({figure.rule}) | {figure.tool} | {len(having)} | {shown} |")
    return lines
