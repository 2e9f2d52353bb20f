"""Draws data/pictures/, the pictures of the console in README.md: ``python tests/console/picture.py``.

What they show is the invented rack of these tests; no worker and no FFmpeg take part.
"""

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from html import escape, unescape
from pathlib import Path

from bulk_fixtures import SlowClient, regional
from machine_fixtures import happened, machine
from pilots import quiet, settled, until
from rack_fixtures import NOW, Clock, FakeClient, line_up, unwell, view
from test_console_bulk import answered, failing
from test_console_channel import SPORT, ailing
from test_console_channel import worker as ladder_worker
from test_console_form import field, form_opened
from textual.pilot import Pilot
from textual.widgets import Input

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.widgets.command_preview import CommandPreview
from transcoder_tui.models.capacity import Cost
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import ChannelView, Telemetry

PICTURES = Path(__file__).parents[2] / "data" / "pictures"
SIZE = (120, 34)
WIDE = {"form": (144, 40), "system": (150, 30)}
"""Those that show more where there is more room."""
CELL = 12.2
"""Width of a character in Textual's export."""


def rack() -> list[ChannelView]:
    """Ten channels, one of them with a dead input and one that falls behind."""
    news, sport, kids, parliament, weather = line_up()
    kids.source = "srt://203.0.113.20:9000?mode=caller"
    kids.message = "no data from srt://203.0.113.20:9000 for 15 s"
    kids.remedy = "check that the encoder sends, and the firewall"
    sport.telemetry = Telemetry(
        fps=50.0, speed=1.0, bitrate=12_800_000, drops=3, dups=0, cpu_percent=391, rss_bytes=612_368_384
    )
    parliament = unwell(4, "Parliament", Health.TOO_SLOW, group="Public", telemetry=figures(3_480_000, 46.5, 88))
    parliament.telemetry.speed = 0.93
    slow = parliament.alarms[0]
    parliament.message = slow.message = "encodes at 0.93 of real time for 2 min"
    parliament.remedy = slow.remedy = "choose a faster preset or fewer renditions, or stop another channel"
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
    return Telemetry(fps=fps, speed=1.0, bitrate=bitrate, drops=0, dups=0, cpu_percent=cpu, rss_bytes=int(cpu * 1.6e6))


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


def worker() -> FakeClient:
    """A worker with ten channels, and its past."""
    client = FakeClient(rack())
    client.logs[3] = log()
    client.happened = happened()
    client.computer = machine()
    client.price = Cost(cores=1.4, of=8, left=3.2)
    return client


def with_ladder() -> FakeClient:
    """The same with a ladder whose recording has stopped to grow."""
    client = ladder_worker(ailing())
    client.logs[SPORT] = log()
    return client


def many() -> SlowClient:
    """A worker with a rack full of channels, two of which cannot be started."""
    client = SlowClient(regional(137, stopped=25))
    failing(client)
    return client


async def keys(pilot: Pilot[str], *pressed: str) -> None:
    """Presses keys, one after the other."""
    for key in pressed:
        await pilot.press(key)
        await quiet(pilot)


async def nothing(_: Pilot[str]) -> None:
    """Shows what is there at once."""


async def to_kids(pilot: Pilot[str]) -> None:
    """Puts the cursor on the channel with the dead input."""
    console = pilot.app
    assert isinstance(console, ConsoleApp)
    while console.rack.cursor != 3:
        await keys(pilot, "down")
    await settled(pilot)


async def to_command(pilot: Pilot[str]) -> None:
    """Opens the form on News HD, and changes a bitrate."""
    while pilot.app.rack.cursor != 1:  # type: ignore[attr-defined]
        await keys(pilot, "down")
    form = await form_opened(pilot, "e")
    field(form, "renditions", 0, "video", "bitrate").query_one(Input).value = "4500k"
    await until(pilot, lambda: "4500000" in " ".join(form.query_one(CommandPreview)._text.argv))


async def to_progress(pilot: Pilot[str]) -> None:
    """Starts all, of which some are done."""
    client = pilot.app._link._connect()  # type: ignore[attr-defined]
    await answered(pilot, client, pilot.app._clock, 98)  # type: ignore[attr-defined]


SCENES: dict[str, tuple[Callable[[], FakeClient], Callable[[Pilot[str]], Awaitable[None]]]] = {
    "channels": (worker, to_kids),
    "channel": (with_ladder, lambda pilot: keys(pilot, "slash", *"sport", "enter", "escape", "i")),
    "events": (worker, lambda pilot: keys(pilot, "3", "up", "up", "up", "up")),
    "system": (worker, lambda pilot: keys(pilot, "4")),
    "ladders": (worker, lambda pilot: keys(pilot, "5")),
    "settings": (worker, lambda pilot: keys(pilot, "6")),
    "form": (worker, to_command),
    "bulk": (many, to_progress),
    "filter": (worker, lambda pilot: keys(pilot, "slash", *"!ok")),
    "commands": (worker, lambda pilot: keys(pilot, "colon", *"start reg", "tab")),
    "help": (worker, lambda pilot: keys(pilot, "question_mark")),
}
"""Each picture: whose worker, and what the operator does."""


async def draw(scene: str) -> str:
    """One picture, as SVG."""
    make, prepare = SCENES[scene]
    client = make()
    console = ConsoleApp(lambda: client, clock=Clock())
    async with console.run_test(size=WIDE.get(scene, SIZE)) as pilot:
        await settled(pilot)
        await prepare(pilot)
        for _ in range(5):
            await quiet(pilot)
            await asyncio.sleep(0.05)
        return standalone(console.export_screenshot(title="transcoder-tui"))


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
    """Writes the pictures, or those that are named."""
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    os.environ.pop("NO_COLOR", None)
    PICTURES.mkdir(exist_ok=True)
    for scene in sys.argv[1:] or SCENES:
        path = PICTURES / f"{scene}.svg"
        path.write_text(asyncio.run(draw(scene)), encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
