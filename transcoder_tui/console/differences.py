"""What differs between two documents of a channel, in the operator's words, and how two changes fit together. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from transcoder_tui.console.form_fields import Entry, entries_of, has, sections_of, steps_of, value_at
from transcoder_tui.console.format import ABSENT
from transcoder_tui.models import output, source
from transcoder_tui.models.address import parse_address
from transcoder_tui.models.channel import ChannelFields, ChannelSpec

Document = dict[str, Any]

_SCHEMES = {*source.SCHEMES, *output.SCHEMES}
_PARTS = sections_of(ChannelSpec)
_KEYS = ("name", "url")
"""What tells one entry of a part from the others."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs, or a whole part that came or went."""

    where: str
    """Such as ``Channel``, ``Source``, ``Output 2`` or ``Rendition 720p``."""
    what: str
    """The field's label; empty where it is the whole part."""
    old: str
    """The value before; empty where the part is new."""
    new: str
    """The value after; empty where the part is gone."""

    @property
    def sign(self) -> str:
        """``+``, ``-`` or ``~``."""
        return "~" if self.what else "-" if self.old else "+"

    @property
    def words(self) -> str:
        """``Output 2: Muxrate 6500k → 7000k``."""
        if not self.what:
            return f"{self.sign} {self.where}: {self.old or self.new}"
        return f"{self.where}: {self.what} {self.old} → {self.new}"


def differences(old: Document, new: Document) -> list[Difference]:
    """Everything that differs, in the order of the form."""
    found = list(_values("Channel", ChannelFields, old, new))
    for part, (about, model) in _PARTS.items():
        found += _entries_differ(about.label, model, old.get(part) or [], new.get(part) or [])
    return found


def field_words(field: str) -> str:
    """A fault's field as the form calls it: ``Output 2: Muxrate`` for ``outputs[1].muxrate``."""
    steps = steps_of(field)
    model: type[BaseModel] = ChannelFields
    where = ""
    if len(steps) == 1 and steps[0] in _PARTS:
        return _PARTS[str(steps[0])][0].label
    if len(steps) >= 2 and steps[0] in _PARTS:
        about, model = _PARTS[str(steps[0])]
        where = f"{_singular(about.label)} {int(steps[1]) + 1}" if isinstance(steps[1], int) else about.label
        steps = steps[2:]
    path = tuple(map(str, steps))
    label = next((entry.about.label for entry in entries_of(model) if entry.path == path), ".".join(path))
    return ": ".join(filter(None, (where, label)))


def _singular(label: str) -> str:
    return label.removesuffix("s")


# One part


def _entries_differ(
    label: str, model: type[BaseModel], old: Sequence[Document], new: Sequence[Document]
) -> Iterator[Difference]:
    pairs = _pairs(old, new)
    single = len(old) == len(new) == 1
    for before, after in pairs:
        number = after if after is not None else before
        document = new[after] if after is not None else old[before or 0]
        name = document.get("name") or ("" if single else (number or 0) + 1)
        where = f"{_singular(label)} {name}".rstrip()
        if before is None:
            yield Difference(where, "", "", _summary(model, document))
        elif after is None:
            yield Difference(where, "", _summary(model, document), "")
        else:
            yield from _values(where, model, old[before], new[after])
    if not _in_order(pairs):
        yield Difference(label, "Order", _names(old), _names(new))


def _pairs(old: Sequence[Document], new: Sequence[Document]) -> list[tuple[int | None, int | None]]:
    """Positions of the same entry in both, by its name or address, else by what is left over; in the new order."""
    taken: dict[int, int] = {}
    for after, document in enumerate(new):
        same = (at for at, other in enumerate(old) if at not in taken.values() and _key(other) == _key(document))
        before = next(same, None)
        if before is not None:
            taken[after] = before
    left = [at for at in range(len(old)) if at not in taken.values()]
    for after in range(len(new)):
        if after not in taken and left:
            taken[after] = left.pop(0)
    pairs: list[tuple[int | None, int | None]] = [(taken.get(after), after) for after in range(len(new))]
    return [*pairs, *((before, None) for before in left)]


def _key(document: Document) -> Any:
    return next((document[key] for key in _KEYS if document.get(key)), None)


def _in_order(pairs: Sequence[tuple[int | None, int | None]]) -> bool:
    both = [before for before, after in pairs if before is not None and after is not None]
    return both == sorted(both)


def _names(documents: Sequence[Document]) -> str:
    return ", ".join(_masked(str(_key(document))) for document in documents)


def _values(where: str, model: type[BaseModel], old: Document, new: Document) -> Iterator[Difference]:
    off: list[tuple[str, ...]] = []
    for entry in entries_of(model):
        if any(entry.path[: len(path)] == path for path in off):
            continue
        before, after = value_at(old, entry), value_at(new, entry)
        if entry.switches and not after:
            off.append(entry.path)
        if before != after:
            yield Difference(where, entry.about.label, *_told_apart(_word(entry, before), _word(entry, after)))


def _told_apart(old: str, new: str) -> tuple[str, str]:
    return old, f"{new} (another secret)" if old == new else new


def _summary(model: type[BaseModel], document: Document) -> str:
    """An entry in a line: its name or address, and what is given beside it."""
    words = []
    for entry in entries_of(model):
        value = value_at(document, entry)
        if entry.path[-1] in _KEYS and len(entry.path) == 1:
            words.append(_word(entry, value))
        elif (has(document, entry) and value != entry.default) or (entry.switches and value != entry.default):
            words.append(f"{entry.about.label} {_word(entry, value)}")
    return ", ".join(words)


def _word(entry: Entry, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value == "":
        return ABSENT
    if isinstance(value, int | float):
        return f"{value} {entry.about.unit}".rstrip()
    return _masked(str(value))


def _masked(text: str) -> str:
    """An address with its secrets hidden; any other text as it is."""
    if "://" not in text:
        return text
    try:
        return parse_address(text, _SCHEMES).masked
    except ValueError:
        return text


# Two changes of one document


@dataclass(frozen=True, slots=True)
class Merged:
    """A change on top of another."""

    document: Document
    both: list[str]
    """Paths of what both changed, each to something else; it is as mine in :attr:`document`."""


def merged(base: Document, mine: Document, theirs: Document) -> Merged:
    """Puts my change on top of theirs; both began with the same document."""
    both: list[str] = []
    document = _merged(base, mine, theirs, "", both)
    return Merged(document, both)


def _merged(base: Any, mine: Any, theirs: Any, path: str, both: list[str]) -> Any:
    if theirs in (base, mine):
        return mine
    if mine == base:
        return theirs
    if all(isinstance(one, dict) for one in (base, mine, theirs)):
        names = dict.fromkeys((*theirs, *mine, *base))
        parts = {
            name: _merged(base.get(name), mine.get(name), theirs.get(name), f"{path}.{name}" if path else name, both)
            for name in names
        }
        # A rendition without sound says so with a null; any other null says nothing.
        return {name: part for name, part in parts.items() if part is not None or name == "audio"}
    if all(isinstance(one, list) for one in (base, mine, theirs)) and _keeps_places(base, mine, theirs):
        return [
            _merged(*entries, f"{path}[{place}]", both)
            for place, entries in enumerate(zip(base, mine, theirs, strict=True))
        ]
    both.append(path)
    return mine


def _keeps_places(base: list[Any], *others: list[Any]) -> bool:
    """Whether lists of documents have the same entries in the same places."""
    if not all(isinstance(entry, dict) for one in (base, *others) for entry in one):
        return False
    return all(len(one) == len(base) and all(a == b for a, b in _pairs(base, one)) for one in others)
