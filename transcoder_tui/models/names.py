"""Names that operators give, and the safe forms of them that files and playlists carry."""

import re
import unicodedata

from transcoder_tui.models.faults import refuse

MAX_NAME = 64
"""Characters in a channel's name; what a table column and a DVB service name can show."""

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_DIRECTORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,62}){0,3}")


def check_name(name: str) -> str:
    """Accepts a channel's or group's name: printable, 1 to 64 characters, not only digits."""
    name = unicodedata.normalize("NFC", name).strip()
    if not name or len(name) > MAX_NAME:
        raise refuse("has the wrong length", f"write 1 to {MAX_NAME} characters")
    if not name.isprintable():
        raise refuse(f"{name!r} contains control characters", "write printable characters only")
    if name.startswith("-"):
        raise refuse(f"{name!r} could be taken for an option", "begin it with a letter or a digit")
    if name.isdigit():
        raise refuse(f"{name!r} could be taken for a channel's id", "add a letter")
    return name


def check_label(label: str) -> str:
    """Accepts a name that is safe in a path and in a playlist."""
    if not _LABEL.fullmatch(label):
        raise refuse(f"{label!r} cannot stand in a path", "write 1 to 32 letters, digits, - and _, such as 1080p")
    return label


def is_directory(path: str) -> bool:
    """Whether this is a directory below the HLS root: up to four plain names, no dots in front, no ``%``."""
    return _DIRECTORY.fullmatch(path) is not None


def slug(name: str) -> str:
    """A form of a name that is safe in a file name: ``News HD`` becomes ``news-hd``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")[:63] or "channel"
