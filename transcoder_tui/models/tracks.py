"""Which streams of a source are taken: by language, by PID, or by their place among their kind."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator

from transcoder_tui.models.faults import refuse

ALL = "all"
"""Stands for every stream of a kind."""
LOWEST_PID, HIGHEST_PID = 0x20, 0x1FFE
"""PIDs that an elementary stream or a PMT may have (ISO/IEC 13818-1 table 2-3, ETSI EN 300 468 table 1)."""

_LANGUAGE = re.compile(r"[a-z]{3}")
_PLACE = re.compile(r"#([1-9]\d?)")
_PID = re.compile(r"0[xX][0-9a-fA-F]{1,4}|\d{2,4}")
_REMEDY = "write a language such as eng, a PID such as 0x102, a PID and its language as in 0x102=eng, or #2"


@dataclass(frozen=True, slots=True)
class Track:
    """One stream of a source."""

    pid: int | None = None
    language: str = ""
    """ISO 639-2 code; with a PID, what receivers are told; without, what it is looked for by."""
    place: int | None = None
    """Position among the streams of its kind, from 1."""


def pid_of(text: str) -> int | None:
    """The PID that a text writes, hexadecimal or decimal; None where it writes none."""
    if not _PID.fullmatch(text):
        return None
    pid = int(text, 0) if text[:2].lower() == "0x" else int(text)
    return pid if LOWEST_PID <= pid <= HIGHEST_PID else None


def check_pid(value: object) -> object:
    """Reads ``0x101`` or ``257``."""
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    pid = pid_of(text)
    if pid is None:
        allowed = f"{LOWEST_PID:#x} to {HIGHEST_PID:#x}"
        raise refuse(f"{value!r} is no PID", f"write {allowed}, hexadecimal or decimal, such as 0x101 or 257")
    return pid


def parse_track(text: str) -> Track:
    """Reads one entry of a list of tracks.

    Raises:
        PydanticCustomError: With what would be right.
    """
    place = _PLACE.fullmatch(text)
    if place:
        return Track(place=int(place[1]))
    key, separator, language = text.partition("=")
    if separator:
        pid = pid_of(key.strip())
        if pid is not None and _LANGUAGE.fullmatch(language.strip()):
            return Track(pid, language.strip())
    elif _LANGUAGE.fullmatch(text) and text != ALL:
        return Track(language=text)
    elif (pid := pid_of(text)) is not None:
        return Track(pid)
    raise refuse(f"{text!r} is no track", _REMEDY)


def tracks_of(text: str) -> tuple[Track, ...]:
    """The tracks that a valid list names; none where it is :data:`ALL`."""
    return () if text == ALL else tuple(parse_track(entry) for entry in text.split(", "))


def _checked(*, every: bool, most: int = 16) -> Callable[[object], object]:
    def check(value: object) -> object:
        if isinstance(value, list):
            value = ", ".join(map(str, value))
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            return value
        entries = [entry.strip() for entry in value.split(",") if entry.strip()]
        if every and entries == [ALL]:
            return ALL
        if not entries:
            raise refuse("names no track", _REMEDY + (f", or {ALL}" if every else ""))
        for index, entry in enumerate(entries):
            parse_track(entry)
            if entry in entries[:index]:
                raise refuse(f"{entry!r} is named twice", "name each track once")
        if len(entries) > most:
            raise refuse(f"names {len(entries)} tracks", f"name {most} at most")
        return ", ".join(entries)

    return check


Tracks = Annotated[str, BeforeValidator(_checked(every=False))]
"""Tracks in a fixed order, ``eng, 0x103=fra``."""
TracksOrAll = Annotated[str, BeforeValidator(_checked(every=True))]
"""Tracks, or ``all``."""
Pid = Annotated[int, BeforeValidator(check_pid)]
"""A PID of a transport stream."""
