"""The ladders to choose from: those that come along, and the operator's own."""

import logging
from pathlib import Path
from typing import Any

import transcoder_tui
from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.faults import parse
from transcoder_tui.models.ladder import Ladder, LadderFile
from transcoder_tui.settings import Settings

MAX_BYTES = 1_000_000
"""Largest file that is read; a ladder of nine rungs takes 1 kB."""

log = logging.getLogger(__name__)


def all_ladders(settings: Settings) -> list[Ladder]:
    """Every ladder, by name; the operator's own comes in the place of one of the same name that comes along.

    Raises:
        InvalidInput: Where the operator's file is wrong; names the file and the field.
    """
    found = {ladder.name: ladder for ladder in read_ladders(shipped())}
    if settings.ladders.exists():
        found |= {ladder.name: ladder for ladder in read_ladders(settings.ladders)}
    return [found[name] for name in sorted(found)]


def shipped() -> Path:
    """The file that comes along: in the package where it was installed, beside it in a checkout."""
    package = Path(transcoder_tui.__file__).parent
    installed = package / "data" / "ladders.yaml"
    return installed if installed.exists() else package.parent / "data" / "ladders.yaml"


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
