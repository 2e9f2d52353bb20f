"""Pictures of the form and of what is asked around it, each looked at before it was accepted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from form_fixtures import Keeper, Prepare, dialog, someone_changed_the_line_up
from pilots import settled, until
from rack_fixtures import Clock, spec
from test_console_form import field, form_opened
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.console.widgets.command_preview import CommandPreview
from transcoder_tui.errors import Fault
from transcoder_tui.models.capacity import Cost
from transcoder_tui.models.lineup import Change, ChangeKind

Compare = Callable[..., bool]

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=["80x24", "120x40", "200x50"])


@pytest.fixture
def picture(snap_compare: Compare, size: tuple[int, int]) -> Callable[[Keeper, Prepare], bool]:
    """Compares a picture of the console, on a worker and after some keys, with the accepted one."""

    def compare(keeper: Keeper, prepare: Prepare) -> bool:
        app: App[str] = ConsoleApp(lambda: keeper, clock=Clock())
        return snap_compare(app, terminal_size=size, run_before=prepare)

    return compare


async def news(pilot: Pilot[str]) -> FormScreen:
    """The form of a channel that is on air."""
    await settled(pilot)
    await pilot.press("down")
    return await form_opened(pilot, "e")


async def change(pilot: Pilot[str], form: FormScreen) -> None:
    """What an operator does to it, without its command, which comes at its own time."""
    await alone(pilot, form)
    field(form, "", 0, "priority").query_one(Input).value = "80"
    field(form, "renditions", 0, "video", "bitrate").query_one(Input).value = "4000k"
    field(form, "outputs", 0, "url").query_one(Input).value = "udp://239.2.7.7:5000"


async def alone(pilot: Pilot[str], form: FormScreen) -> None:
    """The form without its command."""
    if form.query_one(CommandPreview).display:
        await pilot.press("f5")


@SIZES
def test_form_with_its_command(picture: Callable[[Keeper, Prepare], bool]) -> None:
    keeper = Keeper()
    keeper.price = Cost(cores=1.42, of=8, left=3.1)

    async def prepare(pilot: Pilot[str]) -> None:
        form = await news(pilot)
        preview = form.query_one(CommandPreview)
        if not preview.display:
            await pilot.press("f5")
        await until(pilot, lambda: keeper.previewed and preview._text.argv, "the command")
        field(form, "renditions", 0, "video", "bitrate").focus_control()
        await pilot.press("end", "left", "left", "left", "left", "delete", "4")
        await until(pilot, lambda: len(keeper.previewed) > 1 and preview._text.argv != preview._text.before, "changed")

    assert picture(keeper, prepare)


@SIZES
def test_what_changes(picture: Callable[[Keeper, Prepare], bool]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await change(pilot, await news(pilot))
        await pilot.press("ctrl+s")
        await dialog(pilot, "ReviewScreen")

    assert picture(Keeper(), prepare)


@SIZES
def test_conflict(picture: Callable[[Keeper, Prepare], bool]) -> None:
    keeper = Keeper()

    async def prepare(pilot: Pilot[str]) -> None:
        form = await form_opened(pilot, "e")
        await change(pilot, form)
        more: list[dict[str, Any]] = [*keeper.documents[3].spec["outputs"], {"url": "hls://kids"}]
        keeper.changed_by("anna", 3, group="Family", priority=70, outputs=more)
        await pilot.press("ctrl+s")
        await dialog(pilot, "ReviewScreen")

    assert picture(keeper, prepare)


@SIZES
def test_interfaces(picture: Callable[[Keeper, Prepare], bool]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        form = await form_opened(pilot, "e")
        await alone(pilot, form)
        field(form, "sources", 0, "interface").focus_control()
        await pilot.press("space")
        await dialog(pilot, "InterfaceScreen")

    assert picture(Keeper(), prepare)


@SIZES
def test_undo(picture: Callable[[Keeper, Prepare], bool]) -> None:
    keeper = Keeper()
    keeper.last = someone_changed_the_line_up()

    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("u")
        await dialog(pilot, "ReviewScreen")

    assert picture(keeper, prepare)


@SIZES
def test_plan_of_an_import(picture: Callable[[Keeper, Prepare], bool], tmp_path: Path) -> None:
    keeper = Keeper()
    keeper.plan = [
        Change(kind=ChangeKind.CREATE, channel="Music", cost=Cost(cores=1.4, of=8, left=5.1)),
        Change(
            kind=ChangeKind.CHANGE,
            channel="News HD",
            fields=["priority", "renditions[0].video.bitrate", "outputs[0].muxrate"],
            restarts=True,
            on_air=True,
        ),
        Change(kind=ChangeKind.CHANGE, channel="Sport ABR", fields=["group"], on_air=True),
        Change(kind=ChangeKind.KEEP, channel="Kids"),
    ]
    keeper.warnings = [Fault("eth1 has no address", "give it one", "channels[0].sources[0].interface")]
    file = tmp_path / "rack.yaml"
    file.write_text(yaml.safe_dump({"version": 1, "channels": [spec("Music", 9)]}))

    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        assert isinstance(pilot.app, ConsoleApp)
        pilot.app.import_lineup(str(file))
        await dialog(pilot, "ReviewScreen")

    assert picture(keeper, prepare)


@SIZES
def test_first_run(picture: Callable[[Keeper, Prepare], bool]) -> None:
    assert picture(Keeper([]), settled)
