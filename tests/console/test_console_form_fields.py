from typing import Annotated, Literal

import pytest
from pydantic import BaseModel
from rack_fixtures import spec

from transcoder_tui.console.form_fields import entries_of, parts_of, sections_of, steps_of, value_at
from transcoder_tui.console.ladder import RUNGS, next_rung
from transcoder_tui.models.channel import ChannelFields, ChannelSpec
from transcoder_tui.models.faults import parse
from transcoder_tui.models.field import about, describe
from transcoder_tui.models.output import Output
from transcoder_tui.models.overlay import Overlay
from transcoder_tui.models.rendition import Audio, Rendition, Video
from transcoder_tui.models.source import Source


def paths(model: type[BaseModel]) -> list[str]:
    return [".".join(entry.path) for entry in entries_of(model)]


def test_a_form_has_a_line_for_every_field_of_the_models() -> None:
    overlay = [f"overlay.{field.name}" for field in describe(Overlay)]
    assert paths(ChannelFields) == [*(field.name for field in describe(ChannelFields)), *overlay]
    assert paths(Source) == [field.name for field in describe(Source)]
    assert paths(Output) == [field.name for field in describe(Output)]
    nested = [f"video.{field.name}" for field in describe(Video)]
    nested += ["audio", *(f"audio.{field.name}" for field in describe(Audio))]
    assert paths(Rendition) == ["name", *nested]


def test_a_field_that_a_model_gains_appears_by_itself() -> None:
    class Wider(Source):
        program: Annotated[int | None, "any"] = about("Program number.", label="Program", default=None)
        mode: Literal["caller", "listener"] | None = about("Who calls.", label="Mode", default=None)

    entries = {entry.path[0]: entry for entry in entries_of(Wider)}
    assert entries["program"].about.label == "Program"
    assert entries["mode"].options == (("default", ""), ("caller", "caller"), ("listener", "listener"))


def test_rarely_used_fields_stand_apart_under_their_own_heading() -> None:
    parts = {heading: [entry.path[0] for entry in entries] for heading, entries in parts_of(ChannelFields).items()}
    assert parts[""] == ["name", "group", "priority", "autostart"]
    assert parts["Limits"] == ["nice", "cpus", "memory"]
    assert set(parts["Overlay"]) == {"overlay"}, "the lines of a part that stands apart stand with it"


def test_a_choice_of_one_is_none() -> None:
    class Narrow(Source):
        kind: Literal["only"] = about("The only one.", label="Kind", default="only")

    assert "kind" not in paths(Narrow)


def test_a_part_is_switched_on_where_the_model_begins_with_it() -> None:
    switches = {
        entry.path: entry.default for entry in entries_of(Rendition) + entries_of(ChannelFields) if entry.switches
    }
    assert switches == {("audio",): True, ("overlay",): False}


def test_defaults_stand_in_operators_notation() -> None:
    defaults = {".".join(entry.path): entry.default for entry in entries_of(Rendition)}
    assert defaults["video.gop"] == "2s"
    assert defaults["video.fps"] == 25
    assert defaults["audio.bitrate"] == "128k"
    assert defaults["video.size"] == ""


def test_channels_have_three_repeated_parts() -> None:
    assert list(sections_of(ChannelSpec)) == ["sources", "renditions", "outputs"]


def test_values_are_found_however_deep_and_else_are_the_default() -> None:
    rendition = spec("A", 1)["renditions"][0]
    values = {".".join(entry.path): value_at(rendition, entry) for entry in entries_of(Rendition)}
    assert values["video.bitrate"] == "5000k"
    assert values["audio"] is True
    silent = {"name": "x", "video": {"size": "1280x720", "bitrate": "1M"}, "audio": None}
    assert {".".join(entry.path): value_at(silent, entry) for entry in entries_of(Rendition)}["audio"] is False


@pytest.mark.parametrize(
    ("field", "steps"),
    [
        ("name", ("name",)),
        ("outputs[1].muxrate", ("outputs", 1, "muxrate")),
        ("renditions[0].video.size", ("renditions", 0, "video", "size")),
        ("channels[0].outputs[2].url", ("outputs", 2, "url")),
        ("", ()),
    ],
)
def test_a_faults_field_is_taken_apart(field: str, steps: tuple[str | int, ...]) -> None:
    assert steps_of(field) == steps


def test_the_ladder_offers_the_next_rung_down() -> None:
    assert next_rung([])["name"] == "1080p"
    assert next_rung(["1080p", "720p"])["name"] == "540p"
    assert next_rung([name for name, _, _ in RUNGS]) == {"name": "", "video": {}}


def test_every_rung_is_a_valid_rendition() -> None:
    for number in range(len(RUNGS)):
        parse(Rendition, next_rung([name for name, _, _ in RUNGS[:number]]))
