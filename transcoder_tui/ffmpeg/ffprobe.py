"""What ffprobe finds in a source."""

import json
import os
import shutil
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.models.probe import FieldOrder, Kind, Probe, ProbedProgram, ProbedStream

SHOWS = ("-of", "json", "-show_format", "-show_programs", "-show_streams")
"""What it is asked for."""
FOREIGN = {
    "-thread_queue_size": 1,
    "-dts_delta_threshold": 1,
    "-stream_loop": 1,
    "-re": 0,
    "-readrate": 1,
    "-readrate_initial_burst": 1,
}
"""Options of an input that only ``ffmpeg`` knows, with the number of their values."""

KINDS: Mapping[str, Kind] = {kind: kind for kind in ("video", "audio", "subtitle", "data", "attachment")}
FIELD_ORDERS: Mapping[str, FieldOrder] = {
    "progressive": "progressive",
    "tt": "top first",
    "bt": "top first",
    "bb": "bottom first",
    "tb": "bottom first",
}
"""By ffprobe's two letters: the field that is coded first, and the one that is shown first."""


def find_ffprobe(binary: Binary) -> Path | None:
    """The ffprobe that lies beside an FFmpeg, else the one on PATH; None where there is none.

    Args:
        binary: The FFmpeg in use.
    """
    beside = binary.path.with_name("ffprobe")
    if beside.is_file() and os.access(beside, os.X_OK):
        return beside
    found = shutil.which("ffprobe")
    return Path(found) if found else None


def read_ffprobe(said: bytes, source: str) -> Probe | None:
    """What an ffprobe found.

    Args:
        said: Its standard output.
        source: The source in words, secrets masked.

    Returns:
        None where it found no streams.
    """
    try:
        document = json.loads(said.decode(errors="replace"))
    except ValueError:
        return None
    if not document.get("streams"):
        return None
    form = document.get("format", {})
    container = str(form.get("format_name", ""))
    duration = _number(form.get("duration"))
    return Probe(
        source=source,
        container=container,
        duration_s=duration and round(duration, 2),
        # Of HLS it would be the bitrate of the playlist's own text.
        bitrate=None if container == "hls" else _whole(form.get("bit_rate")),
        programs=[_program(entry) for entry in document.get("programs", [])],
        streams=[_stream(entry, has_pids=container == "mpegts") for entry in document["streams"]],
        found_by="ffprobe",
    )


def _program(entry: Mapping[str, Any]) -> ProbedProgram:
    tags = entry.get("tags", {})
    return ProbedProgram(
        number=int(entry["program_id"]),
        name=tags.get("service_name", ""),
        provider=tags.get("service_provider", ""),
        pmt_pid=_whole(entry.get("pmt_pid")),
        pcr_pid=_whole(entry.get("pcr_pid")),
        bitrate=_whole(tags.get("variant_bitrate")),
        streams=[int(stream["index"]) for stream in entry.get("streams", [])],
    )


def _stream(entry: Mapping[str, Any], *, has_pids: bool) -> ProbedStream:
    kind = KINDS.get(entry.get("codec_type", ""), "unknown")
    is_video, is_audio = kind == "video", kind == "audio"
    width, height = entry.get("width", 0), entry.get("height", 0)
    aspect = str(entry.get("sample_aspect_ratio", ""))
    channels = entry.get("channels", 0)
    return ProbedStream(
        index=int(entry["index"]),
        pid=int(str(entry["id"]), 16) if has_pids and "id" in entry else None,
        kind=kind,
        codec=_known(entry.get("codec_name")),
        profile=_known(entry.get("profile")),
        language=_language(entry.get("tags", {}).get("language", "")),
        dispositions=[name.replace("_", " ") for name, given in entry.get("disposition", {}).items() if given],
        size=f"{width}x{height}" if is_video and width and height else "",
        fps=_rate(entry.get("avg_frame_rate")) if is_video else None,
        field_order=FIELD_ORDERS.get(entry.get("field_order", ""), "") if is_video else "",
        pixel_format=_known(entry.get("pix_fmt")) if is_video else "",
        sample_aspect="" if aspect.startswith("0:") or not is_video else aspect,
        sample_rate=_whole(entry.get("sample_rate")) if is_audio else None,
        layout=(_known(entry.get("channel_layout")) or (f"{channels} channels" if channels else ""))
        if is_audio
        else "",
        bitrate=_whole(entry.get("bit_rate")),
    )


def _known(text: object) -> str:
    return "" if text in (None, "unknown", "none", "N/A") else str(text)


def _language(text: str) -> str:
    return "" if text == "und" else text


def _number(text: object) -> float | None:
    try:
        return float(str(text)) or None
    except ValueError:
        return None


def _whole(text: object) -> int | None:
    number = _number(text)
    return None if number is None else int(number)


def _rate(text: object) -> float | None:
    try:
        return round(float(Fraction(str(text))), 2) or None
    except (ValueError, ZeroDivisionError):
        return None
