"""Draws data/console.svg, the picture of the console in README.md: ``python tests/console/picture.py``.

What it shows is the invented rack of these tests; no worker and no FFmpeg take part.
"""

import asyncio
import os
import re
import sys
from datetime import datetime, timedelta
from html import escape, unescape
from pathlib import Path

from pilots import quiet, settled
from rack_fixtures import NOW, Clock, FakeClient, line_up, unwell, view

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import ChannelView, Telemetry

PICTURE = Path(__file__).parents[2] / "data" / "console.svg"
SIZE = (120, 32)
CELL = 12.2
"""Width of a character in Textual's export."""


def rack() -> list[ChannelView]:
    """Ten channels, one of them with a dead input and one that falls behind."""
    news, sport, kids, parliament, weather = line_up()
    kids.source = "srt://203.0.113.20:9000?mode=caller"
    kids.message = "no data from srt://203.0.113.20:9000 for 15 s"
    kids.remedy = "check that the encoder sends, and the firewall"
    sport.telemetry = Telemetry(fps=50.0, speed=1.0, bitrate=12_800_000, drops=3, dups=0, cpu_percent=391)
    parliament = unwell(4, "Parliament", Health.TOO_SLOW, group="Public", telemetry=figures(3_480_000, 46.5, 88))
    parliament.telemetry.speed = 0.93
    return [
        news,
        sport,
        kids,
        parliament,
        weather,
        view(6, "Culture HD", group="Family", telemetry=figures(6_120_000, 25.0, 139), on_air_since=ago(days=11)),
        view(7, "Music", group="Family", telemetry=figures(4_210_000, 25.0, 97), on_air_since=ago(days=3)),
        view(8, "Regional North", group="Regional", telemetry=figures(4_870_000, 25.0, 121)),
        view(9, "Regional South", group="Regional", telemetry=figures(4_930_000, 25.0, 118)),
        view(10, "Shopping", Status.PENDING, group="Public", since=ago(seconds=2)),
    ]


def figures(bitrate: int, fps: float, cpu: float) -> Telemetry:
    return Telemetry(fps=fps, speed=1.0, bitrate=bitrate, drops=0, dups=0, cpu_percent=cpu)


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def log() -> list[str]:
    """What FFmpeg and the worker wrote about the dead input."""
    written = [
        (
            140,
            "WORKER",
            "start: ffmpeg -hide_banner -nostats -i srt://203.0.113.20:9000?mode=caller -map 0:v:0 -c:v ...",
        ),
        (137, "INFO", "Input #0, mpegts, from 'srt://203.0.113.20:9000?mode=caller':"),
        (137, "INFO", "  Stream #0:0[0x100]: Video: h264 (High), yuv420p(tv, bt709), 1920x1080, 25 fps"),
        (137, "INFO", "  Stream #0:1[0x101]: Audio: mp2, 48000 Hz, stereo, s16p, 192 kb/s"),
        (62, "WARNING", "[mpegts @ 0x55d] Packet corrupt (stream = 0, dts = 2851200)."),
        (61, "ERROR", "[h264 @ 0x55e] error while decoding MB 53 20, bytestream -5"),
        (46, "WORKER", "no data from srt://203.0.113.20:9000 for 15 s: stopped, next attempt in 5 s (1 of 5)"),
        (41, "ERROR", "srt://203.0.113.20:9000?mode=caller: Connection timed out"),
        (40, "WORKER", "ended with status 1: next attempt in 10 s (2 of 5)"),
        (30, "ERROR", "srt://203.0.113.20:9000?mode=caller: Connection timed out"),
        (28, "WORKER", "no data from srt://203.0.113.20:9000 for 15 s: next attempt in 40 s (3 of 5)"),
    ]
    stamps = [(NOW - timedelta(seconds=before)).isoformat(timespec="milliseconds") for before, _, _ in written]
    return [
        f"{stamp.replace('+00:00', 'Z')} {level:7} {text}"
        for stamp, (_, level, text) in zip(stamps, written, strict=True)
    ]


async def draw() -> str:
    """The picture, as SVG."""
    client = FakeClient(rack())
    client.logs[3] = log()
    console = ConsoleApp(lambda: client, clock=Clock())
    async with console.run_test(size=SIZE) as pilot:
        await settled(pilot)
        while console.rack.cursor != 3:
            await pilot.press("down")
        await settled(pilot)
        await quiet(pilot)
        return console.export_screenshot(title="transcoder-tui")


def standalone(svg: str) -> str:
    """The picture without fonts from elsewhere, and with each word at its own place.

    So columns stay straight with any font and in renderers that do not know ``textLength`` or that drop spaces.
    """
    svg = re.sub(r"\s*@font-face \{.*?\}\n", "", svg, flags=re.DOTALL)

    def words(match: re.Match[str]) -> str:
        css, left, top, clip, content = match.groups()
        return "".join(
            f'<text class="{css}" x="{float(left) + CELL * start:.1f}" y="{top}" '
            f'textLength="{CELL * len(word):.1f}" clip-path="{clip}">{escape(word)}</text>'
            for start, word in ((found.start(), found[0]) for found in re.finditer(r"[^\s\xa0]+", unescape(content)))
        )

    text = r'<text class="(\S+)" x="([\d.]+)" y="([\d.]+)" textLength="[\d.]+" clip-path="(\S+)">([^<]*)</text>'
    return re.sub(text, words, svg)


def main() -> None:
    """Writes the picture."""
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    os.environ.pop("NO_COLOR", None)
    PICTURE.write_text(standalone(asyncio.run(draw())), encoding="utf-8")
    sys.stdout.write(f"{PICTURE}\n")


if __name__ == "__main__":
    main()
