import pytest

from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.encoder_options import OPTIONS
from transcoder_tui.models.faults import parse
from transcoder_tui.models.overlay import Overlay
from transcoder_tui.models.rendition import Audio, Video

FORBIDDEN = (
    "stats",
    "dump-yuv",
    "qpfile",
    "psnr",
    "csv",
    "log-file",
    "analysis-save",
    "zones",
    "opencl-clbin",
    "cqmfile",
)
DECIDED = (
    "keyint",
    "min-keyint",
    "scenecut",
    "open-gop",
    "bitrate",
    "vbv-maxrate",
    "crf",
    "qp",
    "threads",
    "pools",
    "lp",
)


def refused(model: type[Video] | type[Audio] | type[Overlay], **fields: object) -> tuple[str, str, str]:
    with pytest.raises(InvalidInput) as refusal:
        parse(model, fields)
    fault = refusal.value.faults[0]
    return fault.field, fault.fault, fault.remedy


def video(**fields: object) -> dict[str, object]:
    return {"bitrate": "1M", **fields}


@pytest.mark.parametrize("name", [*FORBIDDEN, *DECIDED])
def test_no_encoder_takes_an_option_that_writes_files_or_that_other_fields_decide(name: str) -> None:
    assert all(name not in known for known in OPTIONS.values())
    field, fault, remedy = refused(Video, **video(options=f"{name}=1"))
    assert field == "options"
    assert fault == f"{name} is no option of x264 that is allowed here"
    assert "aq-mode, aq-strength" in remedy


@pytest.mark.parametrize(
    ("text", "fault", "remedy"),
    [
        ("ref=99", "x264 has no ref=99", "write 1 to 16"),
        ("me=fast", "x264 has no me=fast", "write dia, hex, umh, esa, tesa"),
        ("aq-mode=1.5", "x264 has no aq-mode=1.5", "write 0 to 3"),
        ("deblock=9:9", "x264 has no deblock=9:9", "write one or two numbers"),
        ("ref=1 ref=2", "names an option twice", "write each once"),
        ("ref", "'ref' is no encoder option", "write NAME=VALUE"),
        ("ref=2:stats=/tmp/x", "'ref=2:stats=/tmp/x' is no encoder option", "write NAME=VALUE"),
        ("ref=2:keyint=9", "'ref=2:keyint=9' is no encoder option", "write NAME=VALUE"),
    ],
)
def test_a_value_that_the_encoder_does_not_take_is_refused(text: str, fault: str, remedy: str) -> None:
    field, said, advice = refused(Video, **video(options=text))
    assert (field, said) == ("options", fault)
    assert advice.startswith(remedy)


def test_the_list_is_that_of_the_encoder_that_is_named() -> None:
    assert Video.model_validate(video(encoder="nvenc", options="spatial-aq=1")).encoder_options == {"spatial-aq": "1"}
    assert (
        refused(Video, **video(encoder="nvenc", options="ref=4"))[1] == "ref is no option of nvenc that is allowed here"
    )
    assert Video.model_validate(video(options={"ref": 4, "aq-mode": 3})).options == "ref=4 aq-mode=3"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"codec": "mpeg2", "fps": 12.5, "gop": "2s"}, "fps"),
        ({"codec": "mpeg2", "level": "4.1"}, "level"),
        ({"codec": "mpeg2", "preset": "medium"}, "preset"),
        ({"codec": "av1", "rate": "cbr"}, "rate"),
        ({"codec": "av1", "bframes": 3}, "bframes"),
    ],
)
def test_what_a_codec_does_not_have_is_refused(fields: dict[str, object], field: str) -> None:
    assert refused(Video, **video(**fields))[0] == field


def test_sound_may_come_later_or_earlier() -> None:
    assert Audio.model_validate({"delay": "80ms"}).delay == 0.08
    early = Audio.model_validate({"delay": "-80ms"})
    assert (early.delay, early.model_dump(mode="json")["delay"]) == (-0.08, "-80ms")
    assert refused(Audio, delay="-6s")[2] == "allowed are -5s to 5s"
    assert refused(Audio, delay="--1s")[0] == "delay"


def test_opus_has_a_highest_bitrate_for_each_channel() -> None:
    assert refused(Audio, codec="opus", channels=1, bitrate="320k")[2] == "write at most 256k"


def test_logo_and_text_do_not_share_a_corner() -> None:
    field, _, remedy = refused(Overlay, logo="file://l.png", text="X", logo_position="bottom-left")
    assert (field, remedy) == ("text_position", "choose another corner")
