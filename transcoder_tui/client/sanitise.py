"""Makes text from FFmpeg, from streams and from other users safe to show.

Terminals obey control characters, and neither Textual nor Rich stops them: an ESC or a C1 character in a service name
or a log line can retitle the terminal, erase it or forge its contents. Console and command line therefore pass every
string that is not their own through :func:`sanitise`, once, where they show it.
"""

import re
import unicodedata

SHOWN_INSTEAD = "\ufffd"
"""REPLACEMENT CHARACTER: says that there was something, which dropping it would not."""

_BREAKS = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
"""What begins a new line (Unicode Standard, section 5.8), and would break a table's row or a log's line in two."""

_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Unicode categories: C0, DEL and C1; the bidirectional controls (UAX 9) that reorder what stands beside them, and
other invisible ones; lone surrogates; private use and unassigned, whose width each terminal guesses differently."""
_KEPT = frozenset("\t\u200c\u200d")
"""The tab, and the joiners that scripts and emoji are written with."""


def sanitise(text: str) -> str:
    """The text as one line without anything that a terminal would act on; tabs stay."""
    if text.isprintable():
        return text
    return "".join(map(_harmless, _BREAKS.sub(" ", text)))


def _harmless(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _HARMFUL:
        return character
    return SHOWN_INSTEAD
