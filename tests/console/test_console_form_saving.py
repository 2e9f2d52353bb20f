"""What happens around saving: the command beside the form, what changes, other people's changes, warnings."""

from typing import Annotated

import pytest
from form_fixtures import Keeper, dialog, did
from pilots import screen_text, until
from pydantic import BaseModel
from rack_fixtures import Clock, spec
from test_console_form import field, form_opened
from textual.app import App, ComposeResult
from textual.widgets import Input, OptionList

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.form_fields import parts_of
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.console.screens.interface import InterfaceScreen
from transcoder_tui.console.widgets.command_preview import CommandPreview
from transcoder_tui.console.widgets.form_section import FormSection
from transcoder_tui.errors import Fault, InvalidInput
from transcoder_tui.models.faults import parse
from transcoder_tui.models.field import about
from transcoder_tui.models.units import Range


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def console(keeper: Keeper, clock: Clock) -> ConsoleApp:
    return ConsoleApp(lambda: keeper, clock=clock, waits=(0.05,))


def command(form: FormScreen) -> str:
    preview = form.query_one(CommandPreview)
    return " ".join(preview._text.argv) if preview.display else ""


async def test_the_command_stands_beside_the_form_and_follows_what_is_typed(
    console: ConsoleApp, keeper: Keeper
) -> None:
    async with console.run_test(size=(140, 40)) as pilot:
        form = await form_opened(pilot, "e")
        await until(pilot, lambda: "-b:v:0 5000k" in command(form) or "5000000" in command(form), "the command")
        assert keeper.previewed[0] == (3, keeper.documents[3].spec)
        bitrate = field(form, "renditions", 0, "video", "bitrate").query_one(Input)
        before = command(form)
        bitrate.value = "4000k"
        await until(pilot, lambda: command(form) != before, "another command")
        assert "as changed" in screen_text(pilot)
        bitrate.value = "4000 potatoes"
        await until(pilot, lambda: "as before, until corrected" in screen_text(pilot))
        await pilot.press("f5")
        assert not command(form)
        await pilot.press("escape")


async def test_below_it_the_command_is_asked_for_only_where_it_is_wanted(console: ConsoleApp, keeper: Keeper) -> None:
    async with console.run_test(size=(80, 24)) as pilot:
        form = await form_opened(pilot, "e")
        assert (command(form), keeper.previewed) == ("", [])
        await pilot.press("f5")
        await until(pilot, lambda: command(form), "the command")
        body, preview = form.query_one("#form").region, form.query_one(CommandPreview).region
        assert preview.y == body.bottom, "below the form"


async def test_interfaces_are_chosen_by_what_they_carry(console: ConsoleApp, keeper: Keeper) -> None:
    async with console.run_test(size=(110, 30)) as pilot:
        form = await form_opened(pilot, "e")
        source = field(form, "sources", 0, "interface")
        source.focus_control()
        await pilot.press("space")
        await dialog(pilot, "InterfaceScreen")
        assert isinstance(console.screen, InterfaceScreen)
        [eth1] = [line for line in screen_text(pilot).splitlines() if " eth1 " in line and "10.0.1.7" in line]
        assert "1 Gb/s" in eth1
        assert "43.1Mb/s" in eth1
        assert console.screen.query_one(OptionList).highlighted == 1, "the one that is filled in"
        await pilot.press("down", "enter")
        await until(pilot, lambda: console.screen is form)
        assert source.value == "eth2"
        field(form, "outputs", 0, "interface").focus_control()
        await pilot.press("f3")
        await dialog(pilot, "InterfaceScreen")
        assert "Send from" in screen_text(pilot)
        await pilot.press("home", "enter")
        await until(pilot, lambda: console.screen is form)
        assert field(form, "outputs", 0, "interface").value == ""


async def test_a_saved_channel_says_what_changed_and_what_may_keep_it_off_the_air(
    console: ConsoleApp, keeper: Keeper
) -> None:
    keeper.warnings = [Fault("eth1 has no address", "give it one", "sources[0].interface")]
    async with console.run_test(size=(110, 30), notifications=True) as pilot:
        form = await form_opened(pilot, "e")
        field(form, "", 0, "priority").query_one(Input).value = "80"
        await pilot.press("ctrl+s")
        await dialog(pilot, "ReviewScreen")
        assert did(keeper, "change"), "it is off air, so that nothing is asked"
        assert "Kids is stored." in screen_text(pilot)
        assert "Source 1: Interface" in screen_text(pilot)
        assert "give it one" in screen_text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "Saved Kids. Channel: Priority 50 → 80" in screen_text(pilot))


class TestConflict:
    async def test_changes_of_different_fields_are_put_on_top_of_each_other(
        self, console: ConsoleApp, keeper: Keeper
    ) -> None:
        async with console.run_test(size=(110, 30)) as pilot:
            form = await form_opened(pilot, "e")
            field(form, "", 0, "priority").query_one(Input).value = "80"
            keeper.changed_by("anna", 3, group="Family", autostart=False)
            await pilot.press("ctrl+s")
            await dialog(pilot, "ReviewScreen")
            text = screen_text(pilot)
            assert "anna changed Kids while you edited it" in text
            assert "Group  News → Family" in text
            assert "Autostart  yes → no" in text
            await pilot.press("t")
            await until(pilot, lambda: console.screen is form)
            await until(pilot, lambda: form.document()["group"] == "Family", "theirs")
            assert (str(form.document()["priority"]), form.document()["autostart"]) == ("80", False)
            await pilot.press("ctrl+s")
            await until(pilot, lambda: len(did(keeper, "change")) == 2)
            both = spec("Kids", 3) | {"priority": 80, "group": "Family", "autostart": False}
            assert did(keeper, "change")[1] == (3, both, 2)

    async def test_what_both_changed_is_named_and_can_be_overwritten(self, console: ConsoleApp, keeper: Keeper) -> None:
        async with console.run_test(size=(110, 30)) as pilot:
            form = await form_opened(pilot, "e")
            field(form, "", 0, "priority").query_one(Input).value = "80"
            keeper.changed_by("anna", 3, priority=70)
            await pilot.press("ctrl+s")
            await dialog(pilot, "ReviewScreen")
            assert "Both changed" in screen_text(pilot)
            assert "Priority; yours stays in the form." in screen_text(pilot)
            await pilot.press("escape")
            await until(pilot, lambda: console.screen is form)
            assert form.document()["priority"] == "80", "nothing that was typed is lost"
            await pilot.press("ctrl+s")
            await dialog(pilot, "ReviewScreen")
            await pilot.press("o")
            await until(pilot, lambda: console.screen is console.screen_stack[0])
        assert did(keeper, "change")[-1] == (3, spec("Kids", 3) | {"priority": 80}, 2)


async def test_a_field_that_a_model_gains_is_filled_in_checked_and_explained_without_a_line_of_the_console() -> None:
    class Wider(BaseModel):
        title: str = about("What it is called.", label="Title", example="News")
        latency: Annotated[int, Range(20, 8000)] = about("How long to wait.", label="Latency", unit="ms", default=120)

    class Form(App[None]):
        CSS = "Heading, .field-line { height: 1; } FormSection, FormField, .fields, .field-fault { height: auto; }"

        def compose(self) -> ComposeResult:
            yield FormSection("Wider", parts_of(Wider), {}, "", {})

    app = Form()
    async with app.run_test(size=(100, 12)) as pilot:
        section = app.query_one(FormSection)
        line = section.fields[("latency",)]
        assert (line.entry.about.label, line.entry.about.unit) == ("Latency", "ms")
        assert (line.entry.about.range, line.entry.about.help) == ("20 to 8000", "How long to wait.")
        assert section.document() == {"latency": "120"}
        line.query_one(Input).value = "5"
        with pytest.raises(InvalidInput) as refused:
            parse(Wider, {"title": "x", **section.document()})
        [fault] = refused.value.faults
        found = section.field_for([fault.field])
        assert found is line
        found.show_fault(fault)
        await pilot.pause()
        assert "Latency" in screen_text(pilot)  # type: ignore[arg-type]
        assert "allowed are 20 to 8000" in screen_text(pilot)  # type: ignore[arg-type]
