"""Texts of others on their way in: whatever they hold, none of it can act on the terminal."""

import unicodedata

import pytest
from rack_fixtures import FakeClient, spec, view

from transcoder_tui.client.sanitise import SHOWN_INSTEAD as REPLACEMENT
from transcoder_tui.console.edge import Edge
from transcoder_tui.console.sanitise import clean, sanitised
from transcoder_tui.errors import Conflict, Fault
from transcoder_tui.models.view import Snapshot

HOSTILE = {
    "title": "\x1b]0;owned\x07",
    "erase": "\x1b[2J\x1b[H",
    "C1": "\x9b31m\x9dtitle\x9c",
    "backspace": "good\x08\x08\x08\x08evil",
    "return": "safe\rfake",
    "lines": "one\ntwo\u2028three\u2029four",
    "DEL": "a\x7fb",
    "bidi": "\u202egnp.exe\u2066\u2069\u200f\u061c",
    "invisible": "a\u200bb\ufeffc\u00add",
    "surrogate": "a\ud800b",
    "tag": "a\U000e0041b",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_that_a_terminal_acts_on_passes(text: str) -> None:
    cleaned = clean(text)
    assert cleaned != text
    assert all(unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in cleaned)
    assert len(cleaned) == len(text)
    cleaned.encode()


def test_letters_of_every_script_pass() -> None:
    for text in ("News HD", "Первый канал", "東京", "العربية", "Télé [bold]7[/]", "non\u00a0breaking", "é"):
        assert clean(text) == text


def test_a_tab_becomes_a_blank() -> None:
    assert clean("a\tb") == "a b"


def test_every_text_of_a_document_is_cleaned_however_deep() -> None:
    dirty = view(1, "a\x1b[2Jb", source="s\x9b", renditions=["r\x07"], message="m\u202e")
    cleaned = sanitised({"rows": [dirty], "k\x1b": ("t\x00",)})
    row = cleaned["rows"][0]
    assert "\x1b" not in row.name
    assert row.source == f"s{REPLACEMENT}"
    assert row.renditions == [f"r{REPLACEMENT}"]
    assert row.message == f"m{REPLACEMENT}"
    assert cleaned[f"k{REPLACEMENT}"] == (f"t{REPLACEMENT}",)


async def test_the_stream_enters_cleaned() -> None:
    async for message in Edge(FakeClient([view(1, "a\x1bb")])).stream():
        assert isinstance(message, Snapshot)
        assert message.channels[0].name == f"a{REPLACEMENT}b"
        break


async def test_documents_logs_and_commands_enter_cleaned() -> None:
    client = FakeClient([view(1, "A")])
    client.documents[1].spec = {**spec("A", 1), "group": "g\x1b"}
    client.logs[1] = ["l\x1b[2J"]
    edge = Edge(client)
    assert (await edge.channel(1)).spec["group"] == f"g{REPLACEMENT}"
    assert (await edge.log(1, lines=5)).lines == [f"l{REPLACEMENT}[2J"]


async def test_refusals_enter_cleaned_and_keep_their_kind() -> None:
    client = FakeClient([view(1, "A")])
    client.refusals.append(Conflict([Fault("f\x1b", "r\x9b", "x\x07")]))
    with pytest.raises(Conflict) as caught:
        await Edge(client).order(1, "stop")
    assert caught.value.faults == (Fault(f"f{REPLACEMENT}", f"r{REPLACEMENT}", f"x{REPLACEMENT}"),)
