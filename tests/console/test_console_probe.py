"""Looking into a source from the form. The pictures were looked at before they were accepted."""

from collections.abc import Awaitable, Callable

import pytest
from pilots import screen_text, settled, until
from probe_samples import contribution_picture
from rack_fixtures import Clock, FakeClient, spec
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.console.screens.probe import ProbeScreen
from transcoder_tui.console.widgets.form_section import FormSection
from transcoder_tui.errors import SourceFault
from transcoder_tui.models.probe import Probe, ProbedProgram, ProbedStream

Compare = Callable[..., bool]
Prepare = Callable[[Pilot[str]], Awaitable[None]]

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])
SILENT = SourceFault(
    "no packets from udp://239.1.1.1:5000 for 5 s",
    "check that the source is on air, its group, port and interface; what arrives must be a transport stream",
)


def multiplex() -> Probe:
    """Two programs, a service name from an enemy, a scrambled picture and a PID that belongs to nobody."""
    news = [
        contribution_picture("1920x1080", "1:1"),
        *(
            ProbedStream(
                index=number,
                pid=257 + number,
                kind="audio",
                codec=codec,
                language=language,
                sample_rate=48_000,
                layout=layout,
                measured_bitrate=rate,
            )
            for number, codec, language, layout, rate in (
                (1, "mp2", "eng", "stereo", 384_000),
                (2, "ac3", "fra", "5.1(side)", 448_000),
                (3, "mp2", "deu", "mono", 64_000),
            )
        ),
    ]
    news[3].dispositions = ["hearing impaired"]
    sport = [ProbedStream(index=4, pid=513, kind="video", codec="h264"), ProbedStream(index=5, pid=514, kind="audio")]
    programs = [
        ProbedProgram(number=101, name="NEWS\x1b]0;gone\x07", provider="Acme", pmt_pid=4096, pcr_pid=257),
        ProbedProgram(number=202, name="SPORT", provider="Acme", pmt_pid=4097, pcr_pid=513),
    ]
    programs[0].streams, programs[1].streams = [0, 1, 2, 3], [4, 5]
    return Probe(
        source="udp://239.1.1.1:5000 on eth1",
        container="mpegts",
        bitrate=19_500_000,
        measured_s=3.0,
        programs=programs,
        streams=[*news, *sport, ProbedStream(index=6, pid=500, kind="data")],
    )


async def at_the_source(pilot: Pilot[str]) -> FormScreen:
    await settled(pilot)
    await pilot.press("e")
    await until(pilot, lambda: isinstance(pilot.app.screen, FormScreen) and pilot.app.focused is not None)
    screen = pilot.app.screen
    assert isinstance(screen, FormScreen)
    source(screen).fields[("url",)].focus_control()
    return screen


def source(form: FormScreen) -> FormSection:
    return next(section for section in form.query(FormSection) if section.part == "sources")


async def looked(pilot: Pilot[str], words: str) -> None:
    await pilot.press("f4")
    await until(pilot, lambda: isinstance(pilot.app.screen, ProbeScreen) and words in screen_text(pilot), words)


@pytest.fixture
def picture(snap_compare: Compare, size: tuple[int, int]) -> Callable[[FakeClient, Prepare], bool]:
    def compare(client: FakeClient, prepare: Prepare) -> bool:
        return snap_compare(ConsoleApp(lambda: client, clock=Clock()), terminal_size=size, run_before=prepare)

    return compare


async def test_the_address_as_written_is_looked_into(console: ConsoleApp, client: FakeClient) -> None:
    client.found = multiplex()
    async with console.run_test(size=(80, 24)) as pilot:
        form = await at_the_source(pilot)
        source(form).fields[("url",)].query_one(Input).value = "udp://239.1.1.99:5000"
        await looked(pilot, "mpegts, 2 programs, 7 streams")
        shown = screen_text(pilot)
        assert "Program 101  NEWS" in shown and "\x1b" not in shown
        assert "mpeg2video 4:2:2, 1920x1080" in shown
        await pilot.press("escape")
        await until(pilot, lambda: console.screen is form)
    [(_, asked)] = [one for one in client.asked if one[0] == "probe"]
    assert isinstance(asked, dict)
    assert (asked["url"], asked["interface"]) == ("udp://239.1.1.99:5000", "eth1")


@pytest.mark.long
async def test_a_chosen_program_is_taken_over_into_the_form(console: ConsoleApp, client: FakeClient) -> None:
    client.found = multiplex()
    async with console.run_test() as pilot:
        form = await at_the_source(pilot)
        await looked(pilot, "SPORT")
        listed = console.screen.query_one(OptionList)
        await until(pilot, lambda: listed.option_count and listed.has_focus)
        await pilot.press(*["down"] * 6, "enter")
        await until(pilot, lambda: console.screen is form)
        await until(pilot, lambda: ("program",) in source(form).fields)
        assert source(form).document()["program"] == "202"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: [one for one in client.asked if one[0] == "change"])
    [(_, change)] = [one for one in client.asked if one[0] == "change"]
    assert isinstance(change, tuple)
    assert change[1]["sources"][0]["program"] == "202"


async def test_a_failure_is_shown_and_can_be_tried_again(console: ConsoleApp, client: FakeClient) -> None:
    client.found = multiplex()
    async with console.run_test() as pilot:
        await at_the_source(pilot)
        client.refusals.append(SILENT)
        await looked(pilot, "no packets from udp://239.1.1.1:5000 for 5 s")
        await pilot.press("r")
        await until(pilot, lambda: "2 programs" in screen_text(pilot))


async def test_a_wrong_address_is_not_sent_but_shown_at_its_field(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test() as pilot:
        form = await at_the_source(pilot)
        source(form).fields[("url",)].query_one(Input).value = "udp://239.1.1.1"
        await pilot.press("f4")
        await until(pilot, lambda: "has no port" in screen_text(pilot))
        assert console.screen is form
    assert not [one for one in client.asked if one[0] == "probe"]


async def test_elsewhere_in_the_form_the_key_says_where_to_go(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test() as pilot:
        form = await at_the_source(pilot)
        next(section for section in form.query(FormSection) if section.part == "outputs").fields[
            ("url",)
        ].focus_control()
        await pilot.press("f4")
        await until(pilot, lambda: [told.message for told in console._notifications] == ["Go to a source first."])


async def test_secrets_of_the_address_are_masked(console: ConsoleApp, client: FakeClient) -> None:
    client.documents[3].spec = spec("Kids", 1, sources=[{"url": "srt://198.51.100.9:9000?passphrase=verysecret1"}])
    async with console.run_test() as pilot:
        await at_the_source(pilot)
        await looked(pilot, "Looking into it")
        dialog = str(console.screen.query_one("#probe").border_title)
        assert "passphrase=***" in dialog and "verysecret1" not in dialog


@pytest.mark.long
@SIZES
def test_looking(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await at_the_source(pilot)
        await looked(pilot, "Looking into it")

    assert picture(FakeClient(), prepare)


@pytest.mark.long
@SIZES
def test_found(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    client = FakeClient()
    client.found = multiplex()

    async def prepare(pilot: Pilot[str]) -> None:
        await at_the_source(pilot)
        await looked(pilot, "SPORT")
        await pilot.press("down")

    assert picture(client, prepare)


@pytest.mark.long
@SIZES
def test_not_found(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    client = FakeClient()

    async def prepare(pilot: Pilot[str]) -> None:
        await at_the_source(pilot)
        client.refusals.append(SILENT)
        await looked(pilot, "no packets from")

    assert picture(client, prepare)
