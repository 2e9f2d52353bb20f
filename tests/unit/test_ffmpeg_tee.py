"""FFmpeg's tokenizer is written down here after libavutil/avstring.c, to read back what was escaped."""

import pytest

from transcoder_tui.ffmpeg.tee import escape, option_list, slave

BLANKS = " \n\t\r"


def get_token(text: str, delimiters: str) -> tuple[str, str]:
    """av_get_token: the first token, unescaped, and the rest beginning with its delimiter."""
    rest = text.lstrip(BLANKS)
    token = ""
    kept = 0
    while rest and rest[0] not in delimiters:
        char, rest = rest[0], rest[1:]
        if char == "\\" and rest:
            token += rest[0]
            rest = rest[1:]
            kept = len(token)
        elif char == "'":
            quoted, _, rest = rest.partition("'")
            token += quoted
            kept = len(token)
        else:
            token += char
    end = len(token)
    while end > kept and token[end - 1] in BLANKS:
        end -= 1
    return token[:end], rest


def read_slaves(text: str) -> list[tuple[dict[str, str], str]]:
    """What the tee muxer makes of its address."""
    slaves = []
    while text:
        one, text = get_token(text, "|")
        text = text[1:]
        assert one.startswith("[")
        rest, options = one[1:], {}
        while True:
            name, _, rest = rest.partition("=")
            value, rest = get_token(rest, ":]")
            options[name] = value
            closed, rest = rest[0] == "]", rest[1:]
            if closed:
                break
        slaves.append((options, rest))
    return slaves


HOSTILE = [
    "plain",
    "v:0,a:0",
    "it's",
    'double "quotes"',
    "back\\slash",
    "a]b[c",
    "one|two",
    " blanks at both ends ",
    "\ttab",
    "'",
    "\\",
    "\\'|:]",
    "a=b:c=d",
    "%v/s_%08d.ts",
    "ünïcode",
    "",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_arrives_as_it_was_given(value: str) -> None:
    written = slave({"f": "mpegts", "title": value, "last": "x"}, "file:/srv/a.ts")

    assert read_slaves(written) == [({"f": "mpegts", "title": value, "last": "x"}, "file:/srv/a.ts")]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_file_name_arrives_as_it_was_given(value: str) -> None:
    assert read_slaves(slave({"f": "mpegts"}, f"file:/srv/{value}/a.ts"))[0][1] == f"file:/srv/{value}/a.ts"


def test_slaves_do_not_run_into_each_other() -> None:
    written = "|".join(slave({"f": value}, f"/a|[f=mpegts]{value}x") for value in HOSTILE)

    assert read_slaves(written) == [({"f": value}, f"/a|[f=mpegts]{value}x") for value in HOSTILE]


@pytest.mark.parametrize("value", HOSTILE)
def test_options_nest_within_an_option(value: str) -> None:
    (options, _), *_ = read_slaves(slave({"fifo_options": option_list({"a": value, "b": "2"})}, "x"))

    nested = options["fifo_options"]
    first, rest = get_token(nested.removeprefix("a="), ":")
    assert (first, rest) == (value, ":b=2")


def test_ordinary_text_is_left_readable() -> None:
    assert escape("delete_segments+temp_file", ":]") == "delete_segments+temp_file"
