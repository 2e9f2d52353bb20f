"""FFmpeg's tee muxer: several destinations of the same encoded streams behind one output."""

from collections.abc import Mapping

BLANKS = " \t\r\n"


def escape(value: str, delimiters: str) -> str:
    r"""Protects a value from FFmpeg's tokenizer (``av_get_token``), which reads up to any of the delimiters.

    It takes a backslash and a quote as its own, and drops blanks at both ends; each such character gets a backslash.

    Args:
        value: Any text.
        delimiters: The characters that end a token at this level.
    """
    return "".join(f"\\{char}" if char in f"\\'{BLANKS}{delimiters}" else char for char in value)


def slave(options: Mapping[str, str], url: str) -> str:
    """One destination as tee reads it: ``[name=value:name=value]url``.

    Tee tokenizes twice: the list of slaves at ``|``, then each slave's options at ``:`` and ``]``; the address stands
    behind the bracket and is tokenized once only.
    """
    inner = ":".join(f"{name}={escape(value, ':]')}" for name, value in options.items())
    return escape(f"[{inner}]{url}", "|")


def option_list(options: Mapping[str, str]) -> str:
    """Options within an option's value, as ``fifo_options`` takes them."""
    return ":".join(f"{name}={escape(value, ':')}" for name, value in options.items())
