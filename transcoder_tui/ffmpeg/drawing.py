"""What is drawn over the picture, as filters: a logo, a text, a clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from transcoder_tui.errors import HostFault, InvalidInput
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.graph import quoted
from transcoder_tui.ffmpeg.plan import Plan
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.overlay import Overlay, parse_logo
from transcoder_tui.models.units import size_of

MARGIN = 0.05
"""Distance from the edges, as a share of the picture's sides: the graphics safe area of EBU R 95."""
LINE = 1.4
"""Distance from one line to the next, in heights of letters."""
READERS = {".png": "png_pipe", ".jpg": "jpeg_pipe", ".jpeg": "jpeg_pipe", ".webp": "webp_pipe", ".bmp": "bmp_pipe"}
"""How a logo is read, whatever its content claims to be: a playlist in disguise could name other files."""
CLOCKS = {"utc": "%{gmtime:%T} UTC", "local": "%{localtime:%T}"}
"""The time of day in ``drawtext``'s expansion."""


@dataclass(frozen=True)
class Drawing:
    """What is drawn, with the files that it takes."""

    overlay: Overlay
    logo: Path | None
    font: Path | None

    def over(self, size: str | None, bit_depth: int, name: str) -> Iterator[str]:
        """The filters that draw on a picture.

        Args:
            size: Its size; None for the source's, on which there is no logo.
            bit_depth: Bits a sample.
            name: Tells the labels of this drawing from those of others in the graph.
        """
        if self.logo is not None and size is not None:
            yield self._logo(self.logo, size, bit_depth, name)
        yield from self._words()

    def _logo(self, logo: Path, size: str, bit_depth: int, name: str) -> str:
        """One frame, decoded once; ``overlay`` repeats it for ever, and reads it anew when the source changes."""
        width, height = size_of(size)
        lines = max(2, round(height * self.overlay.logo_height / 100))
        alpha = self.overlay.logo_opacity / 100
        faded = f",colorchannelmixer=aa={alpha:g}" if alpha < 1 else ""
        read = f"movie=filename={quoted(str(logo))}:format_name={READERS[logo.suffix.lower()]}"
        left, top = round(width * MARGIN), round(height * MARGIN)
        vertical, _, horizontal = self.overlay.logo_position.partition("-")
        x = f"{left}" if horizontal == "left" else f"W-w-{left}"
        y = f"{top}" if vertical == "top" else f"H-h-{top}"
        pixels = "yuv420p10" if bit_depth == 10 else "yuv420"
        below, above = f"[bare{name}]", f"[logo{name}]"
        return (
            # Made limited range here: FFmpeg 9 would make the whole picture full range after the logo.
            f"null{below};{read},format=rgba,scale=-2:{lines}{faded},scale=out_range=tv,format=yuva420p{above};"
            f"{below}{above}overlay=x={x}:y={y}:format={pixels}"
        )

    def _words(self) -> Iterator[str]:
        lines = [(text, "none") for text in [self.overlay.text] if text is not None]
        lines += [(CLOCKS[clock], "normal") for clock in [self.overlay.clock] if clock is not None]
        letters = self.overlay.text_height / 100
        vertical, _, horizontal = self.overlay.text_position.partition("-")
        x = f"w*{MARGIN}" if horizontal == "left" else f"w*{1 - MARGIN}-tw"
        for number, (text, expansion) in enumerate(lines):
            above = number * LINE * letters
            below = (len(lines) - 1 - number) * LINE * letters + letters
            y = MARGIN + above if vertical == "top" else 1 - MARGIN - below
            yield (
                f"drawtext=fontfile={quoted(str(self.font))}:expansion={expansion}:text={quoted(text)}"
                f":fontsize=h*{letters:g}:x={x}:y=h*{y:.4f}"
                ":fontcolor=white:box=1:boxcolor=black@0.5:boxborderw=4"
            )


def prepare_drawing(spec: ChannelSpec, plan: Plan, binary: Binary, host: HostFacts) -> Drawing | None:
    """What is drawn over a channel's pictures; None where nothing is.

    Raises:
        HostFault: Where this machine has no font, its FFmpeg cannot draw text, or no media root is set.
        InvalidInput: Where the logo lies outside the media roots, or its height is not known.
    """
    overlay = spec.overlay
    if overlay is None or overlay.is_empty:
        return None
    if overlay.has_words:
        field = "overlay.text" if overlay.text is not None else "overlay.clock"
        if "drawtext" not in binary.filters:
            raise HostFault(
                "this FFmpeg has no filter drawtext",
                "set TRANSCODER_FFMPEG__PATH to an FFmpeg that has it, or remove text and clock",
                field,
            )
        if host.font is None:
            raise HostFault("this host has no font", "install one, such as the package fonts-dejavu-core", field)
    if overlay.logo is None:
        return Drawing(overlay, None, host.font)
    for index, rendition in enumerate(spec.renditions):
        if rendition in plan.renditions and not rendition.video.is_copy and rendition.video.size is None:
            raise InvalidInput(
                "a logo needs to know the size of the picture",
                "write the size, such as 1920x1080, or remove the logo",
                f"renditions[{index}].video.size",
            )
    return Drawing(overlay, host.media_file(parse_logo(overlay.logo), "overlay.logo"), host.font)
