"""A font for text in the picture."""

from collections.abc import Iterable
from pathlib import Path

DIRECTORIES = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
"""Where distributions and administrators put fonts (``fonts-conf(5)``)."""
PREFERRED = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "NotoSans-Regular.ttf", "FreeSans.ttf", "Ubuntu-R.ttf")
"""Plain fonts with many scripts, the widest first."""
_ENDINGS = (".ttf", ".otf")


def find_font(directories: Iterable[Path] = DIRECTORIES) -> Path | None:
    """The file of a font; None where this host has none. Takes some milliseconds."""
    found = sorted(
        path for directory in directories for path in directory.rglob("*") if path.suffix.lower() in _ENDINGS
    )
    ranks = {name: rank for rank, name in enumerate(PREFERRED)}
    return min(found, key=lambda path: ranks.get(path.name, len(ranks)), default=None)
