"""The screen of one channel: its figures, its way from source to outputs, its history, events and log.

Pictures are written anew with ``pytest tests/console/test_console_channel.py --snapshot-update``; look at each before
accepting it.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pilots import screen_lines, screen_text, settled, until
from rack_fixtures import NOW, Clock, FakeClient, alarm, line_up, past, spec, view
from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.facts import source_lines
from transcoder_tui.console.plot import ceiling, drawn, has_braille, in_columns
from transcoder_tui.console.screens.channel import ChannelScreen
from transcoder_tui.console.screens.command import CommandScreen
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.console.tree import output_state, tree_lines
from transcoder_tui.console.widgets.graph import Graph
from transcoder_tui.console.widgets.log_pane import LogPane
from transcoder_tui.console.widgets.panel import Panel
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import Event, EventKind, Severity
from transcoder_tui.models.faults import parse
from transcoder_tui.models.health import Health
from transcoder_tui.models.history import Span
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import ChannelView, PictureEncoder, Telemetry

Compare = Callable[..., bool]

SPORT = 2


def ladder() -> dict[str, Any]:
    """Three rungs, a ladder in segments that carries all, a multicast of one of them, and a recording."""
    rungs = (("1080p", "1920x1080", 50, "8000k"), ("720p", "1280x720", 50, "4000k"), ("360p", "640x360", 25, "800k"))
    return spec(
        "Sport ABR",
        2,
        group="Sport",
        priority=80,
        sources=[
            {"url": "udp://239.1.1.2:5000", "interface": "eth1"},
            {"url": "srt://198.51.100.20:9000?passphrase=verysecret"},
        ],
        renditions=[
            {"name": name, "video": {"size": size, "fps": fps, "bitrate": rate}, "audio": {"bitrate": "128k"}}
            for name, size, fps, rate in rungs
        ],
        outputs=[
            {"url": "hls://sport", "segment": "4s"},
            {"url": "udp://239.2.1.2:5000", "interface": "eth2", "rendition": "720p", "muxrate": "5000k"},
            {"url": "file://sport/archive.ts", "rendition": "1080p"},
        ],
    )


def sport(**changes: Any) -> ChannelView:
    """A ladder that is well."""
    telemetry = Telemetry(
        fps=50.0,
        speed=1.0,
        bitrate=26_300_000,
        drops=3,
        drops_per_min=0,
        dups=0,
        corrupt=118,
        corrupt_per_min=2,
        lost=0,
        undecoded=41,
        undecoded_per_min=0,
        overrun=0,
        cpu_percent=391,
        rss_bytes=612_368_384,
        output_bps=[13_180_000, 5_000_000, 8_140_000],
        rendition_bps=[8_210_000, 4_090_000, 880_000],
    )
    values: dict[str, Any] = {
        "group": "Sport",
        "priority": 80,
        "sources": 2,
        "renditions": ["1080p 1920x1080 50 fps 8000k", "720p 1280x720 50 fps 4000k", "360p 640x360 25 fps 800k"],
        "outputs": ["hls://sport", "udp://239.2.1.2:5000", "file://sport/archive.ts"],
        "encoders": [
            PictureEncoder(rendition="1080p", encoder="h264_nvenc"),
            PictureEncoder(rendition="720p", encoder="h264_nvenc"),
            PictureEncoder(rendition="360p", encoder="libx264"),
        ],
        "telemetry": telemetry,
        "since": NOW - timedelta(days=3, hours=4),
        "on_air_since": NOW - timedelta(days=3, hours=4),
        "restarts": 1,
        "gap_s": 6.4,
        "limits": "nice 5, CPUs 2-5",
    }
    return view(SPORT, "Sport ABR", **{**values, **changes})


def ailing() -> ChannelView:
    """The same with a recording that has stopped growing, on its backup source, with a hardware encoder missing."""
    frozen = alarm(
        Health.OUTPUT_FROZEN,
        "file://sport/archive.ts has not grown for 24 s; the other outputs go on",
        "look at its directory: is it there, may the worker write in it, does its disk answer?",
    )
    backup = alarm(Health.ON_BACKUP, "on source 2 of 2, srt://198.51.100.20:9000", "look at source 1")
    backup.acknowledged_by, backup.acknowledged_at = "marc", NOW - timedelta(seconds=2)
    row = sport(
        alarms=[frozen, backup],
        health=frozen.health,
        message=frozen.message,
        remedy=frozen.remedy,
        source="srt://198.51.100.20:9000?passphrase=***",
        interface=None,
        source_index=1,
        pinned=True,
    )
    row.encoders[0] = PictureEncoder(
        rendition="1080p", encoder="libx264", reason="nvenc: Cannot load libcuda.so.1", fallback=True
    )
    row.telemetry.speed, row.telemetry.output_bps[2] = 0.94, 0
    return row


def happened() -> list[Event]:
    """What happened to it, and a line of another channel."""
    told = [
        (90_000, EventKind.CONFIG, Severity.INFO, "outputs: file://sport/archive.ts added", "marc"),
        (4000, EventKind.ORDER, Severity.INFO, "restart ordered", "lena"),
        (3998, EventKind.STATE, Severity.INFO, "on air on udp://239.1.1.2:5000 after 6.4 s without progress", "worker"),
        (65, EventKind.RAISED, Severity.ERROR, "input lost: nothing has arrived for 5 s", "worker"),
        (60, EventKind.STATE, Severity.WARNING, "changes to source 2 of 2", "worker"),
        (52, EventKind.CLEARED, Severity.INFO, "input lost", "worker"),
        (5, EventKind.RAISED, Severity.WARNING, "output frozen: file://sport/archive.ts has not grown", "worker"),
    ]
    events = [
        Event(
            id=number, at=NOW - timedelta(seconds=before), kind=kind, severity=severity, channel_id=SPORT,
            channel="Sport ABR", message=message, actor=actor,
        )
        for number, (before, kind, severity, message, actor) in enumerate(told, 1)
    ]  # fmt: skip
    return [*events, events[0].model_copy(update={"id": 99, "channel_id": 1, "message": "of another channel"})]


def worker(row: ChannelView | None = None) -> FakeClient:
    """A worker with the usual line-up, the ladder in it."""
    news, _, *others = line_up()
    client = FakeClient([news, row or sport(), *others])
    client.documents[SPORT].spec = ladder()
    client.happened = happened()
    client.pasts = {
        (SPORT, span): past(span, known=known, fps=50.0, bitrate=26_300_000, cpu=391)
        for span, known in ((Span.MINUTES, 120), (Span.DAY, 200))
    }
    return client


def scenes() -> dict[str, tuple[Callable[[], FakeClient], tuple[str, ...]]]:
    """Each picture: the worker, and what is pressed on the table."""
    find = ("slash", *"sport", "enter", "escape", "i")
    return {
        "well": (worker, find),
        "alarms": (lambda: worker(ailing()), find),
        "stopped": (worker, ("G", "i")),
        "day": (worker, (*find, "z")),
    }


SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=["80x24", "120x40", "200x50"])


@SIZES
@pytest.mark.parametrize("scene", ["well", "alarms", "stopped", "day"])
def test_pictures(snap_compare: Compare, size: tuple[int, int], scene: str) -> None:
    client, keys = scenes()[scene]

    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press(*keys)
        screen = pilot.app.screen
        assert isinstance(screen, ChannelScreen)
        await until(pilot, lambda: screen.query_one(LogPane).lines and screen.query(Graph).first().values, "all of it")

    app: App[str] = ConsoleApp(client, clock=Clock())
    assert snap_compare(app, terminal_size=size, run_before=prepare)


def test_picture_of_a_worker_that_is_gone(snap_compare: Compare) -> None:
    client = worker(ailing())

    async def prepare(pilot: Pilot[str]) -> None:
        await opened(pilot)
        client.vanish()
        await until(pilot, lambda: "does not answer" in screen_lines(pilot)[0])

    app: App[str] = ConsoleApp(lambda: client, clock=Clock())
    assert snap_compare(app, terminal_size=(120, 40), run_before=prepare)


async def opened(pilot: Pilot[str]) -> ChannelScreen:
    """The screen of the ladder, with all that it asks for."""
    await settled(pilot)
    await pilot.press("slash", *"sport", "enter", "escape", "i")
    screen = pilot.app.screen
    assert isinstance(screen, ChannelScreen)
    shown = screen.query_one(LogPane), screen.query(Graph).first()
    await until(pilot, lambda: shown[0].lines and shown[1].values and "decoded once" in screen_text(pilot), "all of it")
    return screen


def asked(client: FakeClient, what: str) -> list[object]:
    return [about for name, about in client.asked if name == what]


@pytest.fixture
def client() -> FakeClient:
    return worker()


class TestScreen:
    async def test_everything_about_a_channel_is_there(self, console: ConsoleApp) -> None:
        async with console.run_test(size=(200, 50)) as pilot:
            await opened(pilot)
            text = screen_text(pilot)
            for words in (
                "● on air for 3d 04h, since 2026-11-19 10:15:16 UTC",
                "● 1 udp://239.1.1.2:5000 on eth1  in use",
                "○ 2 srt://198.51.100.20:9000?passphrase=***  in reserve",
                "├─ 1080p h264_nvenc 1920x1080p50 8000k aac 128k",
                "└─ ● ok udp://239.2.1.2:5000  by eth2, CBR 5000k",
                "╘═ ● ok hls://sport  all renditions, segments of 4 s",
                "corrupt       118 2/min",
                "process   pid 4002, last gap 6.4 s, nice 5, CPUs 2-5",
                "13:08:36   order        restart ordered",
                "2026-11-21 config       outputs: file://sport/archive.ts added",
                "fps 49.8",
                "min 34.7  max 50.0",
                "10 min ago",
                "[hls @ 0x55f] Opening",
            ):
                assert words in text
            assert "verysecret" not in text
            assert "of another channel" not in text
            figures = {line.split()[-1] for line in text.splitlines() if "b/s" in line.partition("Graphs")[0]}
            assert figures

    async def test_alarms_tell_why_since_when_what_helps_and_who_has_seen_them(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test(size=(120, 40)) as pilot:
            await opened(pilot)
            client.say(ailing(), seconds=0)
            await until(
                pilot, lambda: "▲ output frozen for 5s, since 14:15:11 UTC  nobody has seen it" in screen_text(pilot)
            )
            for words in (
                "→ look at its directory",
                "✓ seen by marc 2s ago",
                "chosen by an operator",
                "└─ ▲ frozen file://sport/archive.ts",
                "│  ▲ nvenc: Cannot load libcuda.so.1",
            ):
                assert words in screen_text(pilot)
            await pilot.press("a")
            await until(pilot, lambda: asked(client, "acknowledge") == [SPORT])
            await until(pilot, lambda: "nobody has seen it" not in screen_text(pilot))

    async def test_graphs_are_asked_for_every_five_seconds_and_for_a_day(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test(size=(200, 50)) as pilot:
            await opened(pilot)
            for _ in range(6):
                client.say(sport())
            await until(pilot, lambda: console.rack.at == client.at)
            assert asked(client, "history") == [(SPORT, Span.MINUTES)] * 2
            await pilot.press("z")
            await until(pilot, lambda: "24 h ago" in screen_text(pilot) and "min 34.6" in screen_text(pilot))
            assert asked(client, "history")[-1] == (SPORT, Span.DAY)
            for _ in range(6):
                client.say(sport())
            await until(pilot, lambda: console.rack.at == client.at)
            assert asked(client, "history").count((SPORT, Span.DAY)) == 1
            await pilot.press("z")
            await until(pilot, lambda: "10 min ago" in screen_text(pilot))

    async def test_new_events_are_added_and_a_change_of_the_document_is_seen(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test(size=(200, 50)) as pilot:
            await opened(pilot)
            event = client.happened[0].model_copy(update={"id": 120, "at": NOW, "message": "priority: 80 to 90"})
            client.documents[SPORT].spec["sources"][1]["url"] = "srt://198.51.100.77:9000"
            client.say(sport(revision=2), events=(event,))
            await until(pilot, lambda: "198.51.100.77" in screen_text(pilot), "the new source")
            assert "14:15:16   config       priority: 80 to 90" in screen_text(pilot)

    async def test_orders_are_for_the_channel_on_the_screen_and_not_for_the_marked_ones(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("space")
            await opened(pilot)
            await pilot.press("s")
            await until(pilot, lambda: asked(client, "start") == [SPORT])
            await pilot.press("x")
            assert "Stop Sport ABR?" in screen_text(pilot)
            await pilot.press("y")
            await until(pilot, lambda: asked(client, "stop") == [SPORT])
            await pilot.press("y")
            await until(pilot, lambda: isinstance(console.screen, CommandScreen))
            await pilot.press("escape", "o")
            await until(pilot, lambda: "Change the source of Sport ABR?" in screen_text(pilot))
            await pilot.press("escape", "e")
            await until(pilot, lambda: isinstance(console.screen, FormScreen))

    async def test_a_read_only_console_takes_no_orders(self, client: FakeClient) -> None:
        console = ConsoleApp(lambda: client, read_only=True)
        async with console.run_test() as pilot:
            await opened(pilot)
            await pilot.press("s", "r", "d", "a", "o", "e")
            assert isinstance(console.screen, ChannelScreen)
            assert {name for name, _ in client.asked} <= {"history", "events"}
            assert "Start" not in screen_lines(pilot)[-1]
            assert "read-only" in screen_lines(pilot)[0]


class TestMoving:
    async def test_brackets_and_arrows_go_through_the_table_and_the_table_follows(self, console: ConsoleApp) -> None:
        async with console.run_test() as pilot:
            await opened(pilot)
            for key, name in (("]", "Weather"), ("right", "Weather"), ("[", "Sport ABR"), ("left", "Parliament")):
                await pilot.press({"]": "right_square_bracket", "[": "left_square_bracket"}.get(key, key))
                assert name in screen_lines(pilot)[1]
            assert "✖ file loops/parliament.ts is not there" in screen_text(pilot)
            assert "given up after 5 attempts; not tried again by itself" in screen_text(pilot)
            await pilot.press("escape")
            assert any(line.startswith("▌") and "Parliament" in line for line in screen_lines(pilot))

    async def test_tab_steps_through_the_sections_into_the_log_and_back_to_the_top(self, console: ConsoleApp) -> None:
        async with console.run_test() as pilot:
            screen = await opened(pilot)
            tops = []
            for _ in range(8):
                tops.append(screen_lines(pilot)[2].split()[0])
                if screen.query_one(LogPane).has_focus:
                    break
                await pilot.press("tab")
            assert tops[:4] == ["●", "Figures", "Source", "Ladder"]
            assert screen.query_one(LogPane).has_focus
            await pilot.press("up")
            assert not screen.query_one(LogPane).following
            assert "Search" in screen_lines(pilot)[-1]
            await pilot.press("tab")
            assert screen_lines(pilot)[2].split()[0] == "●"
            assert "Start" in screen_lines(pilot)[-1]
            await pilot.press("j", "j")
            assert screen_lines(pilot)[2].split()[0] == "fps"
            await pilot.press("G", "g")
            assert screen_lines(pilot)[2].split()[0] == "●"

    async def test_the_log_opens_over_the_screen_and_follows(self, console: ConsoleApp) -> None:
        async with console.run_test() as pilot:
            screen = await opened(pilot)
            await pilot.press("l")
            assert screen.query_one(LogPane).size.height == 24 - 4
            assert "Figures" not in screen_text(pilot)
            await pilot.press("k", "f")
            assert screen.query_one(LogPane).following
            await pilot.press("escape")
            assert "Figures" in screen_text(pilot)
            assert console.screen is screen

    async def test_a_channel_that_was_deleted_says_so_and_lets_go_on(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test() as pilot:
            await opened(pilot)
            client.say(removed=(SPORT,))
            await until(pilot, lambda: "Sport ABR has been deleted" in screen_text(pilot))
            await pilot.press("s")
            assert asked(client, "start") == []
            await pilot.press("right_square_bracket")
            assert "Weather" in screen_lines(pilot)[1]

    async def test_without_any_channel_it_says_so(self, console_on: Callable[[list[ChannelView]], ConsoleApp]) -> None:
        async with console_on([]).run_test() as pilot:
            await settled(pilot)
            await pilot.press("2", "z", "tab", "l", "right")
            assert "No channel is known yet." in screen_text(pilot)

    async def test_what_is_shown_turns_grey_while_the_worker_does_not_answer(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test() as pilot:
            screen = await opened(pilot)
            client.vanish()
            await until(pilot, lambda: "does not answer" in screen_lines(pilot)[0])
            assert all(part.stale for part in (*screen.query(Graph), *screen.query(Panel)))
            assert "● on air" in screen_text(pilot)
            client.return_()
            await until(pilot, lambda: "does not answer" not in screen_lines(pilot)[0])
            assert not any(part.stale for part in screen.query(Panel))

    async def test_a_channel_that_never_started_has_no_figures(
        self, console_on: Callable[[list[ChannelView]], ConsoleApp]
    ) -> None:
        async with console_on([view(1, "New", Status.STOPPED, since=None)]).run_test(size=(120, 40)) as pilot:
            await settled(pilot)
            await pilot.press("i")
            await until(pilot, lambda: "no figures" in screen_text(pilot))
            assert "○ stopped, never started" in screen_text(pilot)
            assert "└─ ○ off udp://239.2.1.1:5000" in screen_text(pilot)


class TestTree:
    def test_an_alarm_is_of_the_output_that_it_names(self) -> None:
        row = ailing()
        row.outputs = ["udp://239.2.1.2:500", "udp://239.2.1.2:5000"]
        row.alarms = [alarm(Health.NO_CARRIER, "eth2 has no carrier: udp://239.2.1.2:5000 reaches nobody")]
        assert output_state(row, 0) == ("● ok", "good")
        assert output_state(row, 1) == ("▲ no carrier", "warn")

    def test_the_only_output_has_every_alarm_of_outputs(self) -> None:
        row = view(1, "A", alarms=[alarm(Health.OUTPUT_FAULT, "the peer refuses")], health=Health.OUTPUT_FAULT)
        assert output_state(row, 0) == ("▲ fault", "warn")

    def test_nothing_comes_out_of_a_silent_channel_nor_of_one_that_is_off(self) -> None:
        assert output_state(view(1, "A", health=Health.INPUT_LOST), 0) == ("✖ silent", "bad")
        assert output_state(view(1, "A", Status.STOPPED), 0) == ("○ off", "muted")

    def test_without_its_document_the_row_itself_is_told(self) -> None:
        told = ["".join(text for text, _ in line).rstrip() for line in tree_lines(sport(), None, 60)]
        assert told[0] == " ◆ udp://239.1.1.2:5000"
        assert " ├─ 720p 1280x720 50 fps 4000k" in told
        assert " →  hls://sport" in told

    @pytest.mark.parametrize("width", [1, 20, 58, 78, 200])
    def test_no_line_is_wider_than_its_room(self, width: int) -> None:
        document = parse(ChannelSpec, ladder())
        for line in tree_lines(ailing(), document, width) + source_lines(ailing(), document, width):
            assert sum(cell_len(text) for text, _ in line) <= max(width, 30)


class TestPlot:
    def test_nought_is_a_line_and_nothing_known_a_gap(self) -> None:
        assert drawn([0.0, 0.0, None, None, 1.0, None], 1, 1.0, braille=True) == ["⣀ ⡇"]
        assert drawn([0.0, None, 0.5, 1.0], 1, 1.0, braille=False) == ["▁ ▄█"]

    def test_several_lines_are_filled_from_below(self) -> None:
        assert drawn([1.0, 0.5], 2, 1.0, braille=True) == ["⡇", "⣿"]
        assert drawn([1.0, 0.25], 2, 1.0, braille=False) == ["█ ", "█▄"]

    def test_fewer_columns_show_the_worst_and_more_columns_repeat(self) -> None:
        values = [5.0, 1.0, None, 4.0]
        assert in_columns(values, 2, min) == [1.0, 4.0]
        assert in_columns(values, 2, max) == [5.0, 4.0]
        assert in_columns([1.0, None], 4, min) == [1.0, 1.0, None, None]
        assert in_columns([], 2, min) == [None, None]

    @pytest.mark.parametrize(
        ("most", "top"),
        [(0.0, 1.0), (1.0, 1.2), (25.0, 30.0), (50.0, 60.0), (99.0, 120.0), (6.5e6, 8e6), (391.0, 400.0)],
    )
    def test_an_axis_ends_a_little_above_with_a_round_number(self, most: float, top: float) -> None:
        assert ceiling(most) == pytest.approx(top)

    def test_braille_is_for_terminals_that_have_it(self) -> None:
        assert has_braille({"TERM": "xterm-256color"})
        assert not has_braille({"TERM": "linux"})
