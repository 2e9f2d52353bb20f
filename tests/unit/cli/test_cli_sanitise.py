import pytest

from transcoder_tui.client.sanitise import SHOWN_INSTEAD, sanitise


@pytest.mark.parametrize(
    "character",
    [
        *map(chr, [*range(0x09), *range(0x0E, 0x20), *range(0x7F, 0x85), *range(0x86, 0xA0)]),
        *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
        "\ud800",
        "\udfff",
    ],
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_what_a_terminal_would_act_on_is_shown_as_replaced(character: str) -> None:
    assert sanitise(f"a{character}b") == f"a{SHOWN_INSTEAD}b"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"], ids=ascii)
def test_a_text_stays_on_one_line(end: str) -> None:
    assert sanitise(f"a{end}b") == "a b"


@pytest.mark.parametrize(
    "text", ["", "News HD", "a\tb", "Straße früh", "ニュース", "👩\u200d🚒", "קול ישראל", "e\u0301"]
)
def test_honest_text_is_left_alone(text: str) -> None:
    assert sanitise(text) == text


def test_the_result_can_be_written_in_utf_8_and_sanitised_again() -> None:
    everything = "".join(map(chr, range(0x110000)))

    once = sanitise(everything)

    assert once.encode()
    assert sanitise(once) == once
