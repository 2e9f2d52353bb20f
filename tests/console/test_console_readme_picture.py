"""The picture in README.md can be drawn again, and shows what it is for wherever it is shown."""

import re
from html import unescape

from picture import PICTURE, draw, standalone


def words(svg: str) -> str:
    return " ".join(unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg))


async def test_it_shows_a_rack_with_a_fault_and_its_log_without_fonts_from_elsewhere() -> None:
    drawn = standalone(await draw())
    for svg in (drawn, PICTURE.read_text(encoding="utf-8")):
        assert "no data from srt://203.0.113.20:9000 for 15 s" in words(svg)
        assert "check that the encoder sends" in words(svg)
        assert "Connection timed out" in words(svg)
        assert words(svg).count("on air") >= 6
        assert 'url("http' not in svg
        assert re.findall(r"<text[^>]*>[^<]*[\s\xa0][^<]*</text>", svg) == []
