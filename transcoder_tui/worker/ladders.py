"""The ladders to choose from: those that come along, and the operator's own."""

import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transcoder_tui.errors import HostFault, InvalidInput
from transcoder_tui.models.faults import parse
from transcoder_tui.models.field import written
from transcoder_tui.models.ladder import Ladder, LadderFile, LadderView
from transcoder_tui.settings import Settings
from transcoder_tui.shipped import shipped_file

MAX_BYTES = 1_000_000
"""Largest file that is read; a ladder of nine rungs takes 1 kB."""

log = logging.getLogger(__name__)


def all_ladders(settings: Settings) -> list[LadderView]:
    """Every ladder, by name; the operator's own comes in the place of one of the same name that comes along.

    Raises:
        InvalidInput: Where the operator's file is wrong; names the file and the field.
    """
    along = read_ladders(shipped())
    names = {ladder.name for ladder in along}
    found = {ladder.name: _view(ladder) for ladder in along}
    found |= {ladder.name: _view(ladder, own=True, overrides=ladder.name in names) for ladder in _own(settings)}
    return [found[name] for name in sorted(found)]


def put(settings: Settings, name: str, ladder: Ladder) -> LadderView:
    """Stores a ladder of the operator's own.

    Args:
        settings: Where the operator's file is.
        name: Whose place it takes, if the operator has one of that name: with another name it is renamed.
        ladder: The ladder.

    Raises:
        InvalidInput: Where the operator has another one of its name, or the file that is there is wrong.
        HostFault: Where the file cannot be written.
    """
    own = _own(settings)
    names = [one.name for one in own]
    if ladder.name != name and ladder.name in names:
        raise InvalidInput(f"there is a ladder {ladder.name!r} already", "choose another name", "name")
    if name in names:
        own[names.index(name)] = ladder
    else:
        own.append(ladder)
    parse(LadderFile, {"version": 1, "ladders": own})
    if len(_text(own).encode()) > MAX_BYTES:
        raise InvalidInput(f"all your ladders together are larger than {MAX_BYTES // 1_000_000} MB", "delete some")
    _write(settings.ladders, own)
    return next(view for view in all_ladders(settings) if view.name == ladder.name)


def delete(settings: Settings, name: str) -> None:
    """Deletes a ladder of the operator's own; one that comes along under its name is back then.

    Raises:
        InvalidInput: Where the operator has none of this name, or the file that is there is wrong.
        HostFault: Where the file cannot be written.
    """
    own = _own(settings)
    left = [ladder for ladder in own if ladder.name != name]
    if len(left) == len(own):
        along = any(ladder.name == name for ladder in read_ladders(shipped()))
        there = ", ".join(ladder.name for ladder in own) or "none"
        raise InvalidInput(
            f"{name!r} comes along with this program" if along else f"there is no ladder {name!r}",
            f"only your own can be deleted: {there}",
            "name",
        )
    _write(settings.ladders, left)


def _own(settings: Settings) -> list[Ladder]:
    return read_ladders(settings.ladders) if settings.ladders.exists() else []


def _view(ladder: Ladder, *, own: bool = False, overrides: bool = False) -> LadderView:
    fields = {name: getattr(ladder, name) for name in Ladder.model_fields}
    return LadderView.model_construct(**fields, own=own, overrides=overrides)


def _write(file: Path, ladders: Sequence[Ladder]) -> None:
    """Writes the operator's file; the one that was there is kept beside it where it had been written by hand."""
    try:
        if file.exists() and file.read_text() != _text(read_ladders(file)):
            shutil.copy2(file, file.with_name(f"{file.name}.bak"))
        unfinished = file.with_name(f"{file.name}.new")
        with unfinished.open("w") as stream:
            stream.write(_text(ladders))
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(file)
    except OSError as error:
        raise HostFault(
            f"{file} cannot be written: {error.strerror}", "let the worker's user write there, and see that it has room"
        ) from None


def _text(ladders: Sequence[Ladder]) -> str:
    import yaml

    document = {"version": 1, "ladders": [written(ladder) for ladder in ladders]}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def shipped() -> Path:
    """The ladders that come along."""
    return shipped_file("ladders.yaml")


def read_ladders(file: Path) -> list[Ladder]:
    """The ladders of a file.

    Raises:
        InvalidInput: Where it cannot be read, or one of them is wrong.
    """
    try:
        return parse(LadderFile, _document(file)).ladders
    except InvalidInput as error:
        raise InvalidInput([fault.within(f"{file}: ") for fault in error.faults]) from None


def _document(file: Path) -> Any:
    # Half a megabyte that few workers ever need.
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InvalidInput(f"is larger than {MAX_BYTES // 1_000_000} MB", "keep ladders only in it")
        return yaml.load(file.read_bytes(), loader)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", "let the worker's user read it") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidInput(f"is not YAML: {error}", "correct it, or move it aside") from None
