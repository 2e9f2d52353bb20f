"""Makes text from FFmpeg, from streams and from other users safe to show.

Terminals obey control characters, and neither Textual nor Rich stops them: an ESC or a C1 character in a service name
or a log line can retitle the terminal, erase it or forge its contents. Console and command line therefore pass every
string that is not their own through :func:`sanitise`, once, where they show it.
"""

import re

SHOWN_INSTEAD = "\ufffd"
"""REPLACEMENT CHARACTER: says that there was something, which dropping it would not."""

_BREAKS = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
"""What begins a new line (Unicode Standard, section 5.8), and would break a table's row or a log's line in two."""

_UNSAFE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 but the tab, DEL, C1, the bidirectional controls (UAX 9) that reorder what stands beside them, lone surrogates."""


def sanitise(text: str) -> str:
    """The text as one line without anything that a terminal would act on; tabs stay."""
    if text.isprintable():
        return text
    return _UNSAFE.sub(SHOWN_INSTEAD, _BREAKS.sub(" ", text))
