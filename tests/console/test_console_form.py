"""Creating and editing channels by keyboard: what reaches the worker, and what is said where something is wrong."""

import pytest
from pilots import burst, quiet, screen_lines, screen_text, settled, until
from rack_fixtures import FakeClient, log_lines, spec, view
from textual import events
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, OptionList

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.screens.confirm import ConfirmScreen
from transcoder_tui.console.screens.fault import FaultScreen
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.console.screens.review import ReviewScreen
from transcoder_tui.console.widgets.choice import Choice
from transcoder_tui.console.widgets.fold import FoldHeading
from transcoder_tui.console.widgets.form_field import FormField, field_around
from transcoder_tui.console.widgets.form_section import FormSection
from transcoder_tui.errors import Conflict, Fault, InvalidInput
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.faults import parse


async def form_opened(pilot: Pilot[str], key: str) -> FormScreen:
    await settled(pilot)
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, FormScreen) and pilot.app.focused is not None)
    screen = pilot.app.screen
    assert isinstance(screen, FormScreen)
    return screen


async def type_into(pilot: Pilot[str], text: str) -> None:
    """Types a text as a terminal pastes it: at once, which is quicker to test than key by key."""
    pilot.app.screen.post_message(events.Paste(text))
    await quiet(pilot)


def sections(form: Widget, part: str) -> list[FormSection]:
    return [section for section in form.query(FormSection) if section.part == part]


def field(form: Widget, part: str, number: int, *path: str) -> FormField:
    return sections(form, part)[number].fields[path]


def faults_shown(form: Widget) -> dict[str, str]:
    return {
        ".".join(faulty.entry.path): str(faulty.query_one(".field-fault").render())  # type: ignore[attr-defined]
        for faulty in form.query(FormField).filter(".-faulty")
    }


def stored(client: FakeClient, verb: str) -> list[object]:
    return [what for asked, what in client.asked if asked == verb]


class TestCreating:
    async def test_a_channel_is_created_by_keyboard_alone(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            form = await form_opened(pilot, "plus")
            await pilot.press(*"City", "space", *"TV", "enter", *"Local", "enter")
            await pilot.press("end", "backspace", "backspace", *"70", "down", "space", "down")
            await type_into(pilot, "udp://239.1.1.77:5000")
            await pilot.press("enter", *"et", "right", "enter")
            assert field(form, "sources", 0, "interface").value == "eth1"
            while field_around(console.focused) is not field(form, "outputs", 0, "url"):
                await pilot.press("tab")
            await type_into(pilot, "udp://239.2.1.77:5000")
            await pilot.press("ctrl+s")
            await until(pilot, lambda: stored(client, "create"))
            await until(pilot, lambda: console.screen is console.screen_stack[0])
        expected = {
            "name": "City TV",
            "group": "Local",
            "priority": 70,
            "autostart": False,
            "sources": [{"url": "udp://239.1.1.77:5000", "interface": "eth1"}],
            "renditions": [{"name": "720p", "video": {"size": "1280x720", "bitrate": "3000k"}}],
            "outputs": [{"url": "udp://239.2.1.77:5000"}],
        }
        assert stored(client, "create") == [parse(ChannelSpec, expected).document()]

    async def test_a_ladder_is_built_with_one_key_a_rung(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test(size=(160, 45)) as pilot:
            form = await form_opened(pilot, "plus")
            await type_into(pilot, "Ladder")
            field(form, "sources", 0, "url").focus_control()
            await type_into(pilot, "test://bars")
            field(form, "renditions", 0, "name").focus_control()
            await pilot.press("f6", "f6")
            await until(pilot, lambda: len(sections(form, "renditions")) == 3)
            field(form, "outputs", 0, "url").focus_control()
            await type_into(pilot, "hls://ladder")
            await pilot.press("ctrl+s")
            await until(pilot, lambda: stored(client, "create"))
        document = stored(client, "create")[0]
        assert isinstance(document, dict)
        assert [rendition["name"] for rendition in document["renditions"]] == ["720p", "1080p", "540p"]
        assert document["outputs"] == [{"url": "hls://ladder"}]

    async def test_an_added_part_comes_into_view_with_the_keys_in_its_first_field(self, console: ConsoleApp) -> None:
        async with console.run_test(size=(80, 24)) as pilot:
            form = await form_opened(pilot, "e")
            for part, words in (("renditions", "Rendition  2"), ("outputs", "Output  2"), ("sources", "Source  2")):
                next(iter(sections(form, part)[0].fields.values())).focus_control()
                await pilot.press("f6")
                await until(pilot, lambda part=part: len(sections(form, part)) == 2)
                first = next(iter(sections(form, part)[1].fields.values()))
                assert field_around(console.focused) is first
                room = form.query_one("#form").region
                await until(pilot, lambda first=first, room=room: first.region and first.region in room, words)
                assert words in screen_text(pilot)

    async def test_limits_stand_at_the_end_of_the_form_and_reach_the_worker(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test() as pilot:
            form = await form_opened(pilot, "e")
            last = list(form.query(FormSection))[-2]
            assert [path[0] for path in last.fields] == ["nice", "cpus", "memory"]
            last.fields[("nice",)].focus_control()
            await pilot.press(*"25", "down", *"0-3", "down", *"2G")
            await until(pilot, lambda: faults_shown(form))
            assert faults_shown(form) == {"nice": "✖ 25 is out of range; allowed are -20 to 19"}
            await pilot.press("up", "up", "end", "backspace", "ctrl+s")
            await until(pilot, lambda: stored(client, "change"))
        assert stored(client, "change") == [(3, spec("Kids", 3) | {"nice": 2, "cpus": "0-3", "memory": "2G"}, 1)]

    async def test_the_arrows_lead_from_field_to_field_where_the_form_is_longer_than_the_screen(
        self, console: ConsoleApp
    ) -> None:
        async with console.run_test(size=(80, 16)) as pilot:
            form = await form_opened(pilot, "e")
            assert form.query_one("#form").max_scroll_y > 0
            await pilot.press("down")
            assert field_around(console.focused) is field(form, "", 0, "group")
            await pilot.press("up")
            assert field_around(console.focused) is field(form, "", 0, "name")

    async def test_a_part_can_be_removed_but_not_the_last(self, console: ConsoleApp) -> None:
        async with console.run_test(notifications=True) as pilot:
            form = await form_opened(pilot, "plus")
            field(form, "sources", 0, "url").focus_control()
            await pilot.press("f6")
            await until(pilot, lambda: len(sections(form, "sources")) == 2)
            await pilot.press("f8")
            await until(pilot, lambda: len(sections(form, "sources")) == 1)
            await pilot.press("f8")
            await until(pilot, lambda: "at least one" in screen_text(pilot))
            assert len(sections(form, "sources")) == 1

    async def test_only_what_applies_is_shown_and_stored(self, console: ConsoleApp) -> None:
        async with console.run_test() as pilot:
            form = await form_opened(pilot, "plus")

            def shown() -> set[str]:
                output = sections(form, "outputs")[0]
                return {path[0] for path, field in output.fields.items() if field.display}

            assert shown() == {"url", "rendition"}
            address = field(form, "outputs", 0, "url").query_one(Input)
            address.value = "udp://239.2.1.1:5000"
            await until(pilot, lambda: shown() == {"url", "rendition", "interface", "ttl", "muxrate"})
            field(form, "outputs", 0, "ttl").query_one(Input).value = "9"
            address.value = "hls://news"
            await until(pilot, lambda: shown() == {"url", "rendition", "segment", "window"})
            assert form.document()["outputs"] == [{"url": "hls://news"}]

            field(form, "renditions", 0, "audio").query_one(Choice).focus()
            await pilot.press("right")
            assert form.document()["renditions"][0]["audio"] is None
            assert not field(form, "renditions", 0, "audio", "bitrate").display
            await pilot.press("left")
            assert form.document()["renditions"][0]["audio"] == {
                "codec": "aac",
                "bitrate": "128k",
                "sample_rate": 48000,
                "channels": 2,
            }

            assert form.document()["overlay"] is None
            overlay = sections(form, "")[-1]
            assert not overlay.fields[("overlay", "text")].display
            overlay.fields[("overlay",)].query_one(Choice).focus()
            await pilot.press("right")
            assert overlay.fields[("overlay", "text")].display

    async def test_a_ladder_takes_the_place_of_the_renditions(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test(size=(160, 45)) as pilot:
            form = await form_opened(pilot, "plus")
            await pilot.press("f9")
            await until(pilot, lambda: console.screen.query("#ladders"))
            listed = console.screen.query_one(OptionList)
            while "mobile" not in str(listed.get_option_at_index(listed.highlighted or 0).prompt):
                await pilot.press("down")
            assert "234p h264 300k" in screen_text(pilot)
            await pilot.press("enter")
            await until(pilot, lambda: len(sections(form, "renditions")) == 3)
            names = [rendition["name"] for rendition in form.document()["renditions"]]
            assert names == ["540p", "360p", "234p"]

    async def test_what_is_rarely_used_is_folded_and_kept_as_it_was(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test() as pilot:
            form = await form_opened(pilot, "e")
            before = form.document()
            rung = sections(form, "renditions")[0]
            assert ("video", "bframes") not in rung.fields
            encoding = rung.query(FoldHeading).first()
            encoding.focus()
            await pilot.press("enter")
            await until(pilot, lambda: ("video", "bframes") in rung.fields)
            assert form.document() == before | {"renditions": form.document()["renditions"]}
            rung.fields[("video", "bframes")].focus_control()
            await pilot.press("3")
            encoding.focus()
            await pilot.press("enter")
            assert not rung.fields[("video", "bframes")].display
            assert form.document()["renditions"][0]["video"]["bframes"] == "3"
            await pilot.press("ctrl+s")
            await until(pilot, lambda: stored(client, "change"))
        change = stored(client, "change")[0]
        assert isinstance(change, tuple)
        assert change[1]["renditions"][0]["video"]["bframes"] == 3

    async def test_a_fault_in_a_fold_opens_it(self, console: ConsoleApp) -> None:
        async with console.run_test() as pilot:
            form = await form_opened(pilot, "e")
            rung = sections(form, "renditions")[0]
            rung.query(FoldHeading).first().focus()
            await pilot.press("enter")
            await until(pilot, lambda: ("video", "level") in rung.fields)
            rung.fields[("video", "level")].focus_control()
            await pilot.press("x")
            rung.query(FoldHeading).first().focus()
            await pilot.press("enter", "ctrl+s")
            await until(pilot, lambda: field_around(console.focused) is rung.fields[("video", "level")])
            assert "is no level" in screen_text(pilot)


class TestFaults:
    async def test_faults_are_told_of_what_was_typed_and_of_everything_when_it_is_saved(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test() as pilot:
            form = await form_opened(pilot, "plus")
            assert faults_shown(form) == {}
            assert "3 fields to correct" in screen_text(pilot)

            field(form, "renditions", 0, "video", "bitrate").query_one(Input).value = "5000 potatoes"
            await until(pilot, lambda: faults_shown(form))
            assert faults_shown(form) == {
                "video.bitrate": "✖ '5000 potatoes' is not a bitrate; write a number with k or M, such as 5000k or 5M"
            }
            field(form, "renditions", 0, "video", "bitrate").query_one(Input).value = "5M"
            await until(pilot, lambda: not faults_shown(form))

            await pilot.press("ctrl+s")
            await until(pilot, lambda: len(faults_shown(form)) == 2)
            assert field_around(console.focused) is field(form, "", 0, "name")
            assert [section.part for section in form.query(FormSection) if section.query(".-faulty")] == [
                "",
                "sources",
                "outputs",
            ]
            assert stored(client, "create") == []

    async def test_faults_between_fields_are_told_at_the_field_that_can_mend_them(self, console: ConsoleApp) -> None:
        async with console.run_test() as pilot:
            form = await form_opened(pilot, "e")
            muxrate = field(form, "outputs", 0, "muxrate")
            muxrate.query_one(Input).value = "3000k"
            await until(pilot, lambda: faults_shown(form))
            assert "does not hold video, audio and their overhead" in faults_shown(form)["muxrate"]

    async def test_what_the_worker_refuses_is_told_at_its_field(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            form = await form_opened(pilot, "c")
            client.refusals.append(
                InvalidInput(
                    [
                        Fault("there is no interface eth1", "choose eth7", "sources[0].interface"),
                        Fault("udp://239.2.1.3:5000 is already an output of Kids", "", "channels[0].outputs[0].url"),
                    ]
                )
            )
            await pilot.press("ctrl+s")
            await until(pilot, lambda: faults_shown(form))
            assert faults_shown(form) == {
                "interface": "✖ there is no interface eth1; choose eth7",
                "url": "✖ udp://239.2.1.3:5000 is already an output of Kids",
            }
            assert field_around(console.focused) is field(form, "sources", 0, "interface")
            assert console.screen is form
            await type_into(pilot, "7")
            assert faults_shown(form) == {}

    async def test_a_refusal_that_belongs_to_no_field_is_a_dialog(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test() as pilot:
            await form_opened(pilot, "c")
            client.refusals.append(InvalidInput("this host is full", "stop a channel"))
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(console.screen, FaultScreen))
            assert "this host is full" in screen_text(pilot)

    async def test_a_conflict_is_told_and_what_was_typed_stays(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            form = await form_opened(pilot, "e")
            await type_into(pilot, " 2")
            client.refusals.append(Conflict("anna changed Kids 20 s ago", "open it again to see what it is now"))
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(console.screen, FaultScreen))
            assert "Changed by somebody else" in screen_text(pilot)
            assert "anna changed Kids 20 s ago" in screen_text(pilot)
            await pilot.press("escape")
            await until(pilot, lambda: console.screen is form)
            assert form.document()["name"] == "Kids 2"

    async def test_help_explains_the_focused_field_with_its_range(self, console: ConsoleApp) -> None:
        async with console.run_test(size=(160, 45)) as pilot:
            form = await form_opened(pilot, "e")
            field(form, "renditions", 0, "video", "fps").focus_control()
            await until(pilot, lambda: "Allowed: 1 to 120." in screen_text(pilot))
            field(form, "sources", 0, "interface").focus_control()
            await until(pilot, lambda: "Here: eth1, eth2, lo." in screen_text(pilot))


class TestEditing:
    async def test_a_change_carries_the_revision_that_was_read(self, console: ConsoleApp, client: FakeClient) -> None:
        client.documents[3].revision = 7
        async with console.run_test() as pilot:
            await form_opened(pilot, "e")
            await type_into(pilot, " Club")
            await pilot.press("f2")
            await until(pilot, lambda: stored(client, "change"))
        assert stored(client, "change") == [(3, spec("Kids Club", 3), 7)]

    async def test_an_unchanged_document_is_the_same_as_before_and_is_not_stored_again(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test(notifications=True) as pilot:
            form = await form_opened(pilot, "e")
            assert parse(ChannelSpec, form.document()).document() == client.documents[3].spec
            await pilot.press("ctrl+s")
            await until(pilot, lambda: console.screen is console.screen_stack[0])
            await until(pilot, lambda: "Nothing changed: Kids stays as it is stored." in screen_text(pilot))
        assert stored(client, "change") == []

    async def test_what_is_on_air_is_changed_after_a_look_at_what_changes(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test(size=(110, 30)) as pilot:
            await settled(pilot)
            await pilot.press("down")
            form = await form_opened(pilot, "e")
            field(form, "", 0, "priority").query_one(Input).value = "80"
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(console.screen, ReviewScreen))
            assert "Save News HD?" in screen_text(pilot)
            assert "on air, and stays" in screen_text(pilot)
            assert "Priority  50 → 80" in screen_text(pilot)
            await pilot.press("escape")
            await until(pilot, lambda: console.screen is form)
            field(form, "renditions", 0, "video", "bitrate").query_one(Input).value = "4000k"
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(console.screen, ReviewScreen))
            assert "Save and restart News HD?" in screen_text(pilot)
            assert "Video bitrate  5000k → 4000k" in screen_text(pilot)
            await pilot.press("enter")
            await until(pilot, lambda: console.screen is form)
            assert stored(client, "change") == [], "the harmless answer is under the return key"
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(console.screen, ReviewScreen))
            await pilot.press("y")
            await until(pilot, lambda: stored(client, "change"))

    async def test_a_clone_gets_a_name_of_its_own(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await form_opened(pilot, "c")
            await pilot.press("ctrl+s")
            await until(pilot, lambda: stored(client, "create"))
        assert stored(client, "create") == [spec("Kids copy", 3)]

    @pytest.mark.parametrize("key", ["plus", "c"])
    async def test_the_cursor_goes_to_a_channel_that_was_stored(
        self, console: ConsoleApp, client: FakeClient, key: str
    ) -> None:
        async with console.run_test() as pilot:
            form = await form_opened(pilot, key)
            field(form, "", 0, "name").query_one(Input).value = "Music"
            field(form, "sources", 0, "url").query_one(Input).value = "test://bars"
            field(form, "outputs", 0, "url").query_one(Input).value = "hls://music"
            await pilot.press("ctrl+s")
            await until(pilot, lambda: console.screen is console.screen_stack[0])
            client.logs[99] = log_lines()
            client.say(view(99, "Music"))
            await until(pilot, lambda: any(line.startswith("▌ ● on air     Music") for line in screen_lines(pilot)))

    async def test_leaving_asks_only_where_something_would_be_lost(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test() as pilot:
            await form_opened(pilot, "e")
            await pilot.press("escape")
            await until(pilot, lambda: console.screen is console.screen_stack[0])
            form = await form_opened(pilot, "e")
            await type_into(pilot, "x")
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
            await pilot.press("n")
            await until(pilot, lambda: console.screen is form)
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
            await pilot.press("y")
            await until(pilot, lambda: console.screen is console.screen_stack[0])
        assert stored(client, "change") == []

    async def test_a_channel_that_is_gone_is_told(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            client.refusals.append(InvalidInput("no channel has the id 3", "it was deleted"))
            await pilot.press("e")
            await until(pilot, lambda: isinstance(console.screen, FaultScreen))
            assert "it was deleted" in screen_text(pilot)


async def test_keys_of_a_burst_stay_in_their_order(console: ConsoleApp) -> None:
    async with console.run_test(size=(100, 40)) as pilot:
        await settled(pilot)
        form = await form_opened(pilot, "plus")
        keys = (
            *"News 7",
            "left",
            "left",
            "x",
            "backspace",
            "end",
            "backspace",
            *"HD",
            "home",
            "1",
            "tab",
            *"Local",
            "left",
            "y",
        )
        await burst(pilot, *keys)
        assert {name: form.document()[name] for name in ("name", "group")} == {"name": "1News HD", "group": "Locayl"}
