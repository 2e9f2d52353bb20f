"""A channel's way from its source to its outputs, as a tree. Pure."""

import re
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from rich.cells import cell_len

from transcoder_tui.console import format as written
from transcoder_tui.console.status import Tone, is_live, is_silent
from transcoder_tui.console.widgets.cells import fit

if TYPE_CHECKING:
    from transcoder_tui.console.widgets.panel import Line, Lines
    from transcoder_tui.models.channel import ChannelSpec
    from transcoder_tui.models.health import Alarm
    from transcoder_tui.models.output import Output
    from transcoder_tui.models.rendition import Rendition
    from transcoder_tui.models.view import ChannelView

OF_OUTPUTS = ("output frozen", "output fault", "disk full", "no carrier", "output blocked")
"""Values of ``models.health.Health`` that are of outputs: their messages name which."""

FIGURE = 9
"""Cells of a measured bitrate."""


def tree_lines(row: "ChannelView", spec: "ChannelSpec | None", width: int) -> "Lines":
    """The source, below it each rendition, below that the outputs that carry it; those that carry several last.

    Args:
        row: The channel.
        spec: Its document; None while it is not known, then only the row's own words are told.
        width: Cells of a line.
    """
    if spec is None or len(spec.outputs) != len(row.outputs) or len(spec.renditions) != len(row.renditions):
        return _in_words(row, width)
    carried = [spec.carried(output) for output in spec.outputs]
    lines: Lines = [_root(row, spec, width)]
    shared = [place for place, renditions in enumerate(carried) if len(renditions) > 1]
    words = [_rendition_words(row, rendition) for rendition in spec.renditions]
    widths = [max(map(cell_len, column)) for column in zip(*words, strict=True)]
    states = {place: output_state(row, place) for place in range(len(spec.outputs))}
    state_width = max((cell_len(word) for word, _ in states.values()), default=0)

    def output_line(place: int, branch: str, carries: str = "") -> "Line":
        word, tone = states[place]
        words = ", ".join(filter(None, (carries, *_output_words(spec, spec.outputs[place]))))
        head: Line = [(branch, "branch"), (fit(word, state_width + 1), tone), (row.outputs[place], "plain")]
        return _with_figure(head, f"  {words}", _known(row.telemetry.output_bps, place), width)

    for place, rendition in enumerate(spec.renditions):
        last = place == len(spec.renditions) - 1 and not shared
        name, *rest = (fit(text, column) for text, column in zip(words[place], widths, strict=True))
        head: Line = [(" └─ " if last else " ├─ ", "branch"), (f"{name} ", "strong")]
        lines.append(_with_figure(head, " ".join(rest), _known(row.telemetry.rendition_bps, place), width))
        stem = "    " if last else " │  "
        if reason := _reason(row, rendition):
            lines.append([(stem, "branch"), (fit(f"▲ {reason}", max(0, width - 4)), "warn")])
        own = [number for number, renditions in enumerate(carried) if renditions == [rendition]]
        lines += [output_line(number, f"{stem}{'└─' if number == own[-1] else '├─'} ") for number in own]
    for number in shared:
        lines.append(output_line(number, f" {'╘═' if number == shared[-1] else '╞═'} ", "all renditions"))
    return lines


def _root(row: "ChannelView", spec: "ChannelSpec", width: int) -> "Line":
    copied = all(rendition.video.is_copy for rendition in spec.renditions)
    what = "demultiplexed, not decoded" if copied else "decoded once" if len(spec.renditions) > 1 else "decoded"
    words = f"{row.source}  {what}" if is_live(row) else row.source
    return [(" ◆ ", "good" if is_live(row) else "muted"), (fit(words, max(0, width - 3)), "plain")]


def _rendition_words(row: "ChannelView", rendition: "Rendition") -> tuple[str, ...]:
    """Name, encoder, picture, rate and sound of a rendition, one for each column."""
    video, audio = rendition.video, rendition.audio
    sound = "no sound" if audio is None else f"{audio.codec} {_kilobits(audio.bitrate)}"
    if video.is_copy:
        return (rendition.name, "copy", "as the source", "", sound)
    used = next((picture.encoder for picture in row.encoders if picture.rendition == rendition.name), "")
    picture = f"{video.size}p{video.fps:g}" if video.size else f"source size, {video.fps:g} fps"
    return (rendition.name, used or video.codec, picture, _kilobits(video.bitrate), sound)


def _kilobits(bits: int) -> str:
    return f"{bits / 1000:g}k"


def _reason(row: "ChannelView", rendition: "Rendition") -> str:
    """Why it is encoded otherwise than it asks for."""
    return next((picture.reason for picture in row.encoders if picture.rendition == rendition.name), "")


def _output_words(spec: "ChannelSpec", output: "Output") -> list[str]:
    words = [f"by {output.interface}"] if output.interface else []
    if output.is_transport_stream:
        words.append(f"CBR {_kilobits(spec.muxrate(output))}")
    elif output.address.scheme in ("hls", "dash"):
        words.append(f"segments of {spec.segment(output):g} s")
    return words


def output_state(row: "ChannelView", place: int) -> tuple[str, Tone]:
    """How one output is: a glyph and a word, and what their colour means."""
    if not is_live(row) or row.status != "running":
        return "○ off", "muted"
    alarm = next((alarm for alarm in row.alarms if _is_of(alarm, row.outputs, place)), None)
    if alarm is not None:
        return f"▲ {alarm.health.value.removeprefix('output ')}", "bad" if alarm.health.value == "disk full" else "warn"
    if is_silent(row.health.value):
        return "✖ silent", "bad"
    return "● ok", "good"


def _is_of(alarm: "Alarm", outputs: Sequence[str], place: int) -> bool:
    """Whether an alarm is of an output: its message names it, or there is no other."""
    if alarm.health.value not in OF_OUTPUTS:
        return False
    return len(outputs) == 1 or _names(alarm.message, outputs[place])


def _names(message: str, address: str) -> bool:
    """Whether a message names an address, be it without its parameters; ``…:5001`` does not name ``…:500``."""
    named = address.partition("?")[0]
    return re.search(rf"{re.escape(named)}(?![\w/])", message) is not None


def _known(figures: Sequence[int | None], place: int) -> int | None:
    return figures[place] if place < len(figures) else None


def _with_figure(head: "Line", words: str, bits: int | None, width: int) -> "Line":
    """A line with its bitrate at the right, where that is known; what has no room beside it is cut."""
    figure = "" if bits is None else f"{written.with_unit(written.bitrate(bits), 'b/s')} "
    room = width - (FIGURE + 1 if figure else 0)
    line: Line = []
    for text, tone in (*head, (words, "muted")):
        shown = fit(text, min(cell_len(text), max(0, room)))
        room -= cell_len(shown)
        line.append((shown, tone))
    tone = "strong" if bits else "warn"
    return [*line, (" " * max(0, room), "plain"), (fit(figure, FIGURE + 1, "right") if figure else "", tone)]


def _in_words(row: "ChannelView", width: int) -> "Lines":
    """What the row itself says."""
    words = chain(((" ├─ ", text) for text in row.renditions), ((" →  ", text) for text in row.outputs))
    return [
        [(" ◆ ", "muted"), (fit(row.source, max(0, width - 3)), "plain")],
        *([(branch, "branch"), (fit(text, max(0, width - 4)), "plain")] for branch, text in words),
    ]
