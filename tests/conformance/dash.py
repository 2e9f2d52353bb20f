"""DASH: the description by the standard library's XML, the segments as FFmpeg's demuxer hands them to ffprobe."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

from conformance_figures import UNALIGNED, WRONG_REPRESENTATIONS, Reading
from media_readings import Expected, keyframes, media_readings
from playlists import CODECS, apart
from transport_stream import Tool

MPD = "{urn:mpeg:dash:schema:mpd:2011}"


def dash_readings(tool: Tool, manifest: Path, rungs: Sequence[Expected]) -> list[Reading]:
    """What a player relies on, of a presentation that was ended and of which no segment was deleted."""
    readings = [Reading(WRONG_REPRESENTATIONS, _wrong(manifest, rungs))]
    for number, expected in enumerate(rungs):
        readings += media_readings(tool, str(manifest), expected, video=f"v:{number}")
    times = [keyframes(tool, str(manifest), f"v:{number}") for number in range(len(rungs))]
    return readings + [Reading(UNALIGNED, apart(one, other)) for one, other in combinations(times, 2)]


def _wrong(manifest: Path, rungs: Sequence[Expected]) -> int:
    """Representations that are not what the rungs are."""
    pictures = [one for one in ElementTree.parse(manifest).iter(f"{MPD}Representation") if one.get("width")]
    assert len(pictures) == len(rungs), f"{len(pictures)} pictures for {len(rungs)} rungs"
    return sum(
        not (one.get("codecs") or "").startswith(CODECS[expected.video])
        or (int(one.get("width", 0)), int(one.get("height", 0))) != expected.size
        or int(one.get("bandwidth", 0)) <= 0
        for one, expected in zip(pictures, rungs, strict=True)
    )
