"""The client's end of the live stream."""

from collections.abc import AsyncIterator

from transcoder_tui.client.client import _lines


async def test_a_text_may_hold_what_unicode_counts_as_a_line_end() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield "{\u0085\u2028".encode()
        yield "\u2029\x0b}\n{".encode()
        yield b"}\n"

    assert [line.decode() async for line in _lines(chunks())] == ["{\u0085\u2028\u2029\x0b}", "{}"]
