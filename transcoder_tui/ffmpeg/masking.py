"""Hides stream keys, passphrases and passwords wherever a command, a log line or an event is shown."""

import re
from collections.abc import Iterable

from transcoder_tui.models.address import MASK

SHORT_SECRET = 8
"""Characters below which a secret is masked only where it stands as a word: a stream key ``live`` must not blot out
half of every line."""


def mask(text: str, secrets: Iterable[str]) -> str:
    """Hides secrets in a text.

    Args:
        text: A log line, an argument, a message.
        secrets: What nobody must read; the longest is replaced first, since one may contain another.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        if secret not in text:
            continue
        if len(secret) < SHORT_SECRET:
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(secret)}(?![A-Za-z0-9])", MASK, text)
        else:
            text = text.replace(secret, MASK)
    return text
