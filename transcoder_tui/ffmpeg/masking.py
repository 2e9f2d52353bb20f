"""Hides stream keys, passphrases and passwords wherever a command, a log line or an event is shown."""

import re
from collections.abc import Iterable

from transcoder_tui.models.address import MASK

SHORT_SECRET = 8
"""Characters below which a secret is masked only where it stands as a word: a stream key ``live`` must not blot out
half of every line."""


def mask(text: str, secrets: Iterable[str]) -> str:
    """Hides secrets in a text, also where a backslash protects some of their characters, as between several outputs.

    Args:
        text: A log line, an argument, a message.
        secrets: What nobody must read; the longest is replaced first, since one may contain another.
    """
    plain = text.replace("\\", "")
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        bare = secret.replace("\\", "")
        if not bare or bare not in plain:
            continue
        pattern = r"\\*".join(map(re.escape, bare))
        if len(secret) < SHORT_SECRET:
            pattern = rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"
        text = re.sub(rf"\\*{pattern}", MASK, text)
    return text
