"""Names, addresses, messages and logs that try to act on the terminal, in every place where a text is shown."""

import re
from collections.abc import Iterator

import pytest
from pilots import screen_text, settled, until
from rack_fixtures import FakeClient, alarm, view

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.errors import Fault, InvalidInput
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status

TEXTS = {
    "acting": "\x1b]0;owned\x07\x1b[2J\x9b31m one\r\ntwo\u2028three\ttab \u202eevil\u2066",
    "markup": "[bold red]x[/] [@click=app.quit]y[/] [/nothing] {0} %s $foreground \\[x] [",
    "long": "A" * 10_000,
    "wide": "東" * 3000 + "e" + "\u0301" * 500,
}

ACTING = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


@pytest.fixture(params=TEXTS.values(), ids=TEXTS.keys())
def text(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param


def client_with(text: str) -> FakeClient:
    row = view(
        1,
        text,
        Status.RETRYING,
        group=text,
        source=text,
        interface=text,
        message=text,
        remedy=text,
        renditions=[text],
        outputs=[text, text],
        next_retry_at=None,
        sources=2,
        limits=text,
        alarms=[alarm(Health.INPUT_LOST, text, text)],
    )
    client = FakeClient([row, view(2, f"{text} twin")])
    client.worker.database = text
    for number in (1, 2):
        client.documents[number].spec["name"] = text
        client.documents[number].spec["sources"][0]["url"] = text
    client.logs[1] = [text, f"2026-11-22T14:15:16.123Z ERROR   {text}"]
    client.logs[2] = client.logs[1]
    return client


@pytest.mark.long
async def test_no_text_acts_on_the_terminal_and_none_breaks_the_screen(text: str) -> None:
    client = client_with(text)
    console = ConsoleApp(lambda: client)
    async with console.run_test(size=(100, 30), notifications=True) as pilot:
        await settled(pilot)
        for keys in (
            "i",
            "escape",
            "y",
            "escape",
            "o",
            "escape",
            "e",
            "ctrl+s",
            "escape y",
            "space space x",
            "n",
            "d",
            "n",
            "l",
        ):
            await pilot.press(*keys.split())
            await pilot.pause()
            shown = screen_text(pilot)
            assert not ACTING.search(shown.replace("\n", "")), keys
        client.refusals.append(InvalidInput([Fault(text, text, text)]))
        await pilot.press("escape", "escape", "escape", "s")
        await until(pilot, lambda: len(console.screen_stack) > 1, "the dialog")
        assert not ACTING.search(screen_text(pilot).replace("\n", ""))


async def test_markup_is_shown_as_it_was_written() -> None:
    client = client_with(TEXTS["markup"])
    console = ConsoleApp(lambda: client)
    async with console.run_test(size=(160, 45), notifications=True) as pilot:
        await settled(pilot)
        assert screen_text(pilot).count("[bold red]x[/]") >= 6
        await pilot.press("i")
        await until(pilot, lambda: "Ladder" in screen_text(pilot))
        assert "├─ [bold red]x[/] [@click=app.quit]y[/] [/nothing] {0} %s" in screen_text(pilot)


async def test_texts_of_any_width_leave_the_columns_in_their_places() -> None:
    client = FakeClient([view(1, "Plain"), view(2, "東京" * 40), view(3, "e\u0301" * 60), view(4, "x" * 64)])
    console = ConsoleApp(lambda: client)
    async with console.run_test(size=(160, 45)) as pilot:
        await settled(pilot)
        strips = pilot.app.screen._compositor.render_strips()
        assert {strip.cell_length for strip in strips} == {160}
