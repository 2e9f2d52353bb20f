"""Names, addresses, messages and logs that try to act on the terminal, in every place where a text is shown."""

import re
from collections.abc import Iterator
from typing import cast

import pytest
from form_fixtures import Keeper, someone_changed_the_line_up
from hostile_fixtures import Hostile, all_models, made_of, texts_in
from machine_fixtures import happened, machine, seasoned
from pilots import screen_lines, screen_text, settled, until
from pydantic import BaseModel
from rack_fixtures import FakeClient, alarm, past, view
from rich.cells import cell_len

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.sanitise import sanitised
from transcoder_tui.errors import Fault, InvalidInput
from transcoder_tui.models.capacity import Cost
from transcoder_tui.models.health import Health
from transcoder_tui.models.history import Span
from transcoder_tui.models.job import Status
from transcoder_tui.models.probe import Probe

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


@pytest.mark.parametrize("model", all_models(), ids=lambda model: model.__qualname__)
def test_no_text_of_any_document_acts_on_the_terminal(model: type[BaseModel]) -> None:
    document = made_of(model, TEXTS["acting"])
    for text in texts_in(sanitised(document)):
        assert not ACTING.search(text.replace("\n", "")), model


RACK = (
    *("l", "l", "/ z escape", "y escape", "o escape", "m escape", "space space x escape", "p escape", "colon escape"),
    *("2", "z", "l escape", "3", "i", "l escape", "left_square_bracket", "4", "tab", "tab", "tab l", "l", "tab"),
    *("5", "down", "6", "down", "question_mark escape", "1 u", "escape", "b", "n", "a", "escape", "d escape"),
    *("E escape", "I escape"),
)
"""Keys that open every screen and dialog but the form, one after the other."""
FORM = (
    *("i", "e", "f5", "down", "f9 escape", "f4 enter", "escape", "end z ctrl+s", "escape", "escape", "y", "escape"),
    *("1", "plus", "f9", "down enter", "escape", "y"),
)
"""The same for the form."""


@pytest.mark.long
@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["80x24", "200x50"])
@pytest.mark.parametrize("keys", [RACK, FORM], ids=["rack", "form"])
async def test_no_text_acts_on_the_terminal_and_none_breaks_the_screen(
    text: str, size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    await walk(text, size, keys)


async def test_no_text_acts_on_the_terminal() -> None:
    seen = await walk(TEXTS["acting"], (100, 30), RACK)
    assert seen == {
        *("MainScreen", "ChannelScreen", "EventsScreen", "SystemScreen", "LaddersScreen", "SettingsScreen"),
        *("HelpScreen", "CommandScreen", "ConfirmScreen", "GroupScreen", "EntryScreen", "ReviewScreen"),
        "FaultScreen",
    }


async def walk(text: str, size: tuple[int, int], walk: tuple[str, ...]) -> set[str]:
    """Presses keys in a rack of hostile texts, and gives the screens that they opened."""
    known = Keeper(seasoned().views.values())
    known.happened = happened()
    known.computer = machine()
    known.last = someone_changed_the_line_up()
    known.price = made_of(Cost, text)
    known.found = made_of(Probe, text)
    known.pasts = {(channel, span): past(span) for channel in (1, 2, 3) for span in Span}
    for document in known.documents.values():
        document.spec["name"] = text
        document.spec["sources"][0]["url"] = text
    client = cast(WorkerClient, Hostile(known, text))
    console = ConsoleApp(lambda: client)
    seen: set[str] = set()
    async with console.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        for keys in walk:
            for key in keys.split():
                await pilot.press(key)
                seen.add(type(console.screen).__name__)
                for line in screen_lines(pilot):
                    assert not ACTING.search(line), (keys, key)
                    assert cell_len(line) == size[0], (keys, key)
        known.refusals.append(InvalidInput([Fault(text, text, text)]))
        await pilot.press("escape", "escape", "1", "s")
        await until(pilot, lambda: len(console.screen_stack) > 1, "the dialog")
        assert not ACTING.search(screen_text(pilot).replace("\n", ""))
        return seen | {type(console.screen).__name__}


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
