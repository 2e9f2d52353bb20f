"""Turns what a terminal sends into events, whatever it sends: pastes with control characters, noise, other encodings.

Textual's own reader ends the app at the first byte that is not UTF-8 and at key codes that no character has, and takes
what follows an ESC within a paste for keys: a pasted text could so stop a channel.
"""

from codecs import getincrementaldecoder
from collections.abc import Generator, Iterator

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.events import Paste
from textual.message import Message

from transcoder_tui.client.sanitise import sanitise

LONGEST = 4096
"""Characters that are kept of a paste: more than any address or filter has, and no more than a field draws at once."""


class Typed:
    """What was typed or pasted, as it comes."""

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._parser = XTermParser()
        self._tail = ""
        """The end of what the parser has read: the mark of a paste may begin in it."""
        self._pasted: str | None = None
        """The paste so far; None outside of one."""

    def feed(self, octets: bytes) -> Iterator[Message]:
        """The events of some octets."""
        text = self._decode(octets)
        while text:
            if self._pasted is None:
                text = yield from self._read_keys(text)
            else:
                text = yield from self._read_paste(self._pasted + text)

    def tick(self) -> Iterator[Message]:
        """The events of time that passes: an ESC after which nothing comes is a key."""
        yield from self._parser.tick()

    def _read_keys(self, text: str) -> Generator[Message, None, str]:
        seen = self._tail
        before, mark, rest = (seen + text).partition(BRACKETED_PASTE_START)
        if keys := before[len(seen) :]:
            try:
                yield from self._parser.feed(keys)
            except (ValueError, OverflowError, LookupError):  # a code that no character has
                self._parser = XTermParser()
        self._tail = "" if mark else before[-len(BRACKETED_PASTE_START) + 1 :]
        if mark:
            self._pasted = ""
            if len(before) < len(seen):
                self._parser = XTermParser()  # without the half of the mark that it has read
        return rest

    def _read_paste(self, text: str) -> Generator[Message, None, str]:
        pasted, mark, rest = text.partition(BRACKETED_PASTE_END)
        if mark:
            self._pasted = None
            yield Paste("\n".join(map(sanitise, pasted[:LONGEST].splitlines())))
        else:
            self._pasted = pasted[:LONGEST] + pasted[LONGEST:][-len(BRACKETED_PASTE_END) + 1 :]
        return rest
