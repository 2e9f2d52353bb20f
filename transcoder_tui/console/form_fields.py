"""What a form for a model consists of, read from the model itself: a new field of the model appears by itself. Pure."""

import re
from dataclasses import dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from transcoder_tui.models.field import Described, describe

Path = tuple[str, ...]
"""Names that lead from a section's document to a value, such as ``("video", "size")``."""

PROSE = 200
"""Characters that a text may have at least which is meant to be sentences."""
YES_NO: tuple[tuple[str, Any], ...] = (("yes", True), ("no", False))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line to fill in."""

    path: Path
    about: Described
    options: tuple[tuple[str, Any], ...]
    """Words and values to choose from; empty where a text is written."""
    default: Any
    """What the model takes where nothing is given, in the notation of documents; empty where there is none."""
    switches: bool = False
    """Whether this turns the whole part at ``path`` on or off, such as a rendition's sound."""

    prose: bool = False
    """Whether it takes whole sentences."""

    @property
    def wide(self) -> bool:
        """Whether its values are long, as addresses are."""
        return self.prose or "://" in self.about.example


def entries_of(model: type[BaseModel]) -> list[Entry]:
    """The lines of a section, those of nested models included; lists of models are sections of their own."""
    return list(_entries(model, (), ""))


def parts_of(model: type[BaseModel]) -> dict[str, list[Entry]]:
    """The lines of a model by the heading under which they stand apart; an empty one holds all the others."""
    parts: dict[str, list[Entry]] = {"": []}
    for entry in entries_of(model):
        parts.setdefault(entry.about.apart, []).append(entry)
    return parts


def sections_of(model: type[BaseModel]) -> dict[str, tuple[Described, type[BaseModel]]]:
    """The repeated parts of a model, by field name: sources, renditions, outputs."""
    return {
        about.name: (about, inner)
        for about in describe(model)
        if (inner := _repeated(model.model_fields[about.name])) is not None
    }


def _entries(model: type[BaseModel], path: Path, apart: str) -> list[Entry]:
    found: list[Entry] = []
    for described in describe(model):
        about = replace(described, apart=described.apart or apart)
        info = model.model_fields[about.name]
        here = (*path, about.name)
        if _repeated(info) is not None:
            continue
        kind, optional = _without_none(info.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if optional:
                found.append(Entry(here, about, YES_NO, info.get_default(call_default_factory=True) is not None, True))
            found += _entries(kind, here, about.apart)
            continue
        options = _options(kind, optional)
        if len(options) != 1:
            found.append(Entry(here, about, options, _default(model, info, about.name), prose=_takes_prose(info)))
    return found


def _takes_prose(info: FieldInfo) -> bool:
    return any(getattr(limit, "max_length", 0) >= PROSE for limit in info.metadata)


def _options(kind: Any, optional: bool) -> tuple[tuple[str, Any], ...]:
    none = (("default", ""),) if optional else ()
    if kind is bool:
        return (*none, *YES_NO)
    if get_origin(kind) is Literal:
        return (*none, *((str(value), value) for value in get_args(kind)))
    return ()


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
        return _without_none(kinds[0])[0], NoneType in get_args(annotation)
    return annotation, False


def _repeated(info: FieldInfo) -> type[BaseModel] | None:
    kind, _ = _without_none(info.annotation)
    inner = get_args(kind)[0] if get_origin(kind) is list else None
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _default(model: type[BaseModel], info: FieldInfo, name: str) -> Any:
    if info.is_required() or info.get_default(call_default_factory=False) is None:
        return ""
    value = info.get_default(call_default_factory=False)
    return model.model_construct(**{name: value}).model_dump(mode="json", include={name})[name]


def value_at(document: dict[str, Any], entry: Entry) -> Any:
    """What a document says for an entry, else the model's default."""
    value: Any = document
    for name in entry.path:
        if not isinstance(value, dict) or name not in value:
            return entry.default
        value = value[name]
    if entry.switches:
        return value is not None
    return entry.default if value is None else value


def has(document: dict[str, Any], entry: Entry) -> bool:
    """Whether a document says something for an entry."""
    value: Any = document
    for name in entry.path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return value is not None


def put(document: dict[str, Any], path: Path, value: Any) -> None:
    """Writes a value into a document, making the parts that lead to it."""
    for name in path[:-1]:
        document = document.setdefault(name, {})
    document[path[-1]] = value


_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def steps_of(field: str) -> tuple[str | int, ...]:
    """A fault's field taken apart: ``outputs[1].muxrate`` becomes ``("outputs", 1, "muxrate")``.

    A line-up's ``channels[0]`` in front is dropped: the form holds one channel.
    """
    steps = tuple(int(number) if number else name for name, number in _STEP.findall(field))
    return steps[2:] if steps[:1] == ("channels",) else steps
