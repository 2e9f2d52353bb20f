"""Makes foreign text harmless before any of it can reach a terminal.

Names, addresses, FFmpeg's log lines and stream metadata are written by others. Textual passes escape sequences in
them on to the terminal unchanged (measured for Label, Static, Log, RichLog, DataTable and toasts), so every document
goes through :func:`sanitised` at the one place where it enters: :mod:`transcoder_tui.console.edge`.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from transcoder_tui.client.sanitise import sanitise
from transcoder_tui.errors import Fault, TranscoderError

if TYPE_CHECKING:
    from pydantic import BaseModel

Document = TypeVar("Document")

_OF_LINES = frozenset({"log"})
"""Fields that hold lines of a log in one text: what shows them splits them again."""

_HARMLESS = frozenset({int, float, bool, type(None), datetime})
"""Types that hold no text."""


def clean(text: str) -> str:
    """The text without characters that a terminal acts on. Tabs become blanks: their width depends on their place."""
    return sanitise(text).replace("\t", " ")


def sanitised(document: Document) -> Document:
    """A document of the API with all its texts cleaned. Models are cleaned in place."""
    cleaned: Any = _cleaned(document)
    return cleaned  # type: ignore[no-any-return]


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value) if type(value) is str else value
    if isinstance(value, list | tuple):
        return type(value)(map(_cleaned, value))
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(entry) for key, entry in value.items()}
    if isinstance(value, Fault):
        return _clean_fault(value)
    if hasattr(type(value), "model_fields"):
        clean_model(value)
    return value


def clean_model(model: "BaseModel", but: Collection[str] = ()) -> None:
    """Cleans all texts of a model, in place.

    Args:
        model: Which.
        but: Fields that need no cleaning.
    """
    for name, value in vars(model).items():
        # Nearly all there is: 1,000 channels have 35,000 fields.
        if (kind := type(value)) in _HARMLESS or (kind is str and value.isprintable()) or name in but:
            continue
        cleaned = "\n".join(map(clean, value.split("\n"))) if name in _OF_LINES else _cleaned(value)
        if cleaned is not value:
            setattr(model, name, cleaned)


def sanitised_error(error: TranscoderError) -> TranscoderError:
    """The error with its texts cleaned: faults quote what others wrote."""
    return type(error)(list(map(_clean_fault, error.faults)))


def _clean_fault(fault: Fault) -> Fault:
    return replace(fault, fault=clean(fault.fault), remedy=clean(fault.remedy), field=clean(fault.field))
