"""What an operator types to find channels."""

import pytest
from rack_fixtures import line_up, unwell, view

from transcoder_tui.console.query import compiled, completions, is_query, matching
from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.health import Health
from transcoder_tui.models.view import PictureEncoder


def found(text: str, *rows: object) -> list[str]:
    return [row.name for row in matching(text, rows or line_up())]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["News HD", "Sport ABR", "Kids", "Parliament", "Weather"]),
        ("news", ["News HD", "Weather"]),
        ("news hd", ["News HD"]),
        ("NEWS HD", ["News HD"]),
        ('"news hd"', ["News HD"]),
        ("name:news", ["News HD"]),
        ("news !ok", []),
        ("!ok", ["Kids", "Parliament"]),
        ("ok", ["News HD", "Sport ABR", "Weather"]),
        ("src:239.1", ["News HD", "Sport ABR"]),
        ("source:239.1.1.1", ["News HD"]),
        ("239.1.1.1:5000", ["News HD"]),
        ("udp://239.1.1.2", ["Sport ABR"]),
        ("out:hls", ["Sport ABR"]),
        ("nic:eth1 group:^s", ["Sport ABR"]),
        ("status:error", ["Parliament"]),
        ("error", ["Parliament"]),
        ("status:running", ["News HD", "Sport ABR"]),
        ("status:on air", ["News HD", "Sport ABR"]),
        ("on air sport", ["Sport ABR"]),
        ("!on air", ["Kids", "Parliament", "Weather"]),
        ("off air", ["Kids", "Parliament", "Weather"]),
        ("cause:firewall", ["Kids"]),
        ("rendition:360p", ["Sport ABR"]),
        ("^(news|kids)", ["News HD", "Kids", "Weather"]),
        ("name:^(news|kids)", ["News HD", "Kids"]),
        ("name:r$", ["Sport ABR", "Weather"]),
        ("name:[", []),
        ("-f nws", ["News HD"]),
        ("~nws", ["News HD"]),
        ("!~e", ["Sport ABR", "Kids"]),
        ("~SAB", ["Sport ABR"]),
        ("cpu>200", ["Sport ABR"]),
        ("speed<0.98", ["Sport ABR"]),
        ("drops>0", ["Sport ABR"]),
        ("drops=0", ["News HD"]),
        ("restarts>=3", ["Kids", "Parliament"]),
        ("!restarts>3", ["News HD", "Sport ABR", "Kids", "Weather"]),
        ("bitrate>10M", ["Sport ABR"]),
        ("bitrate<=6500k", ["News HD"]),
        ("fps!=25", ["Sport ABR"]),
        ("id=3", ["Kids"]),
        ("mode=caller", ["Kids"]),
    ],
)
def test_what_is_found(text: str, names: list[str]) -> None:
    assert found(text) == names


def test_ok_is_a_word_of_its_own() -> None:
    rows = [view(1, "Tokyo"), unwell(2, "Tokyo two", Health.TOO_SLOW)]
    assert found("!ok", *rows) == ["Tokyo two"]
    assert found("tokyo", *rows) == ["Tokyo", "Tokyo two"]


def test_dots_in_an_address_are_dots() -> None:
    assert found("src:239.1.1.1", view(1, "A", source="udp://239.1.1.1:1"), view(2, "B", source="239x1.1.1")) == ["A"]


def test_alarms_are_found_by_what_they_are_and_whether_somebody_has_seen_them() -> None:
    seen = unwell(1, "Seen", Health.TOO_SLOW)
    seen.alarms[0].acknowledged_by = "ann"
    two = unwell(2, "Two", Health.INPUT_LOST, Health.ON_BACKUP)
    rows = [seen, two, view(3, "Well")]
    assert found("unwell", *rows) == ["Seen", "Two"]
    assert found("status:unwell", *rows) == ["Seen", "Two"]
    assert found("alarm:new", *rows) == ["Two"]
    assert found("health:acknowledged", *rows) == ["Seen"]
    assert found("alarm:on backup source", *rows) == ["Two"]
    assert found("input lost", *rows) == ["Two"]
    assert found("ok", *rows) == ["Well"]


def test_renditions_are_found_by_what_encodes_them() -> None:
    row = view(1, "A", encoders=[PictureEncoder(rendition="1080p", encoder="h264_nvenc")])
    assert found("encoder:nvenc", row, view(2, "B")) == ["A"]


@pytest.mark.parametrize(
    ("text", "fault", "remedy"),
    [
        ('name:"news', "a quote is not closed", 'write a second "'),
        ("news !", "! inverts nothing", "such as !ok"),
        ("~", "~ looks for nothing", "~nws"),
        ("-f", "~ looks for nothing", "~nws"),
        ("staus:error", "there is no field 'staus'", "name, group, src, out, nic, status"),
        ("src:", "src: looks for nothing", "src:239.1"),
        ("cpu>fast", "'fast' is no number", "cpu>1"),
        ("bitrate>", "bitrate> compares with nothing", "bitrate>5M"),
        ("cpuu>5", "there is no figure 'cpuu'", "cpu, ram, fps"),
        ("(a+)+$", "repeats a repetition", "(ab)+"),
    ],
)
def test_what_cannot_be_meant_is_explained(text: str, fault: str, remedy: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        compiled(text)
    assert fault in caught.value.faults[0].fault
    assert remedy in caught.value.faults[0].remedy


def test_no_text_that_anybody_types_or_pastes_breaks_it() -> None:
    rows = line_up()
    for text in ("*", "+", "\\", "(?", "a{99999999}", "\x00", "![", "name:", ":", "::", "a:b:c", "(" * 500, '"', "'"):
        try:
            matching(text, rows)
        except InvalidInput as error:
            assert error.faults[0].remedy


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("na", ["name:"]),
        ("news !sr", ["news !src:"]),
        ("re", ["rendition:", "restarts>", "retrying"]),
        ("group:", ["group:Family", "group:News", "group:Public", "group:Sport"]),
        ("group:s", ["group:Sport"]),
        ("name:N", ['name:"News HD"']),
        ('name:"news h', ['name:"News HD"']),
        ("status:on", ['status:"on air"', 'status:"on backup source"']),
        ("interface:", ["interface:eth1"]),
        ("kid", ["Kids"]),
        ("qqq", []),
        ('"News HD" kid', ['"News HD" Kids']),
    ],
)
def test_completion(text: str, lines: list[str]) -> None:
    assert completions(text, line_up()).lines(text) == lines


def test_every_completion_is_a_filter_that_can_be_meant() -> None:
    rows = line_up()
    for text in ("status:", "health:", "name:", "group:", "src:", "out:", "nic:", "cause:", "rendition:"):
        for line in completions(text, rows).lines(text):
            compiled(line)


def test_which_texts_are_more_than_words() -> None:
    for text in ("group:News", "!ok", "news cpu>5", "~nws", "-f nws", "alarm:new"):
        assert is_query(text), text
    for text in ("news*", "News HD", "udp://239.1.1.1:5000", "7", "a-f b", ""):
        assert not is_query(text), text
