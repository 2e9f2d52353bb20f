"""The form says what its channel will cost, while it is filled in."""

from pilots import until
from rack_fixtures import FakeClient
from test_console_form import field, form_opened
from textual.pilot import Pilot
from textual.widgets import Input

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.console.widgets.cost_line import CostLine
from transcoder_tui.models.capacity import Cost, unmeasured


async def opened(pilot: Pilot[str], client: FakeClient) -> FormScreen:
    """The form of the stored channel under the cursor, priced."""
    form = await form_opened(pilot, "e")
    await until(pilot, lambda: client.priced, "asked what it costs")
    await until(pilot, lambda: said(form) or client.price is None, "cost shown")
    return form


def said(form: FormScreen) -> str:
    """What the line says; empty where it is not shown."""
    line = form.query_one(CostLine)
    return str(line.render()) if line.display else ""


async def test_the_cost_of_a_channel_and_what_is_left_stand_in_its_form(
    console: ConsoleApp, client: FakeClient
) -> None:
    client.price = Cost(cores=1.42, of=8, left=3.1)
    async with console.run_test() as pilot:
        form = await opened(pilot, client)

        assert said(form) == "Costs about 1.4 of 8 cores; 3.1 are left"
        number, document = client.priced[0]
        assert number == 3, "its own share counts as free"
        assert document == client.documents[3].spec


async def test_the_cost_follows_what_is_typed_and_goes_while_something_is_wrong(
    console: ConsoleApp, client: FakeClient
) -> None:
    client.price = Cost(cores=1.42, of=8, left=3.1)
    async with console.run_test() as pilot:
        form = await opened(pilot, client)
        size = field(form, "renditions", 0, "video", "size").query_one(Input)

        client.price = Cost(
            cores=9.0,
            of=8,
            left=3.1,
            slow=["it needs about 9.0 cores, and this machine has 8"],
            notes=["1080p is a guess: from libx264 medium"],
        )
        size.value = "3840x2160"
        await until(pilot, lambda: "9.0" in said(form), "the new cost")

        assert said(form) == (
            "Costs about 9.0 of 8 cores; only 3.1 are left; ✖ slower than real time: it needs about 9.0 cores, "
            "and this machine has 8; 1080p is a guess: from libx264 medium"
        )
        assert form.query_one(CostLine).has_class("-slow", "-too-much")
        size.value = "3841x2160"
        await until(pilot, lambda: not said(form), "no cost for what is wrong")


async def test_a_machine_that_was_not_measured_gets_the_command_that_measures_it(
    console: ConsoleApp, client: FakeClient
) -> None:
    client.price = unmeasured(8, 8.0)
    async with console.run_test() as pilot:
        form = await opened(pilot, client)

        assert said(form) == "What it costs is not known; measure this machine with 'transcoder-tui doctor --bench'"


async def test_a_worker_that_does_not_tell_leaves_the_line_out(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test() as pilot:
        form = await opened(pilot, client)

        assert said(form) == ""
