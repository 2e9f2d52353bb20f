"""The language of the filter: ``news !ok src:239.1 status:error cpu>50 ~nws``. Pure.

Words are ANDed and read as regular expressions where they are some, whatever their case; ``!`` inverts one.
``field:word`` looks into one field, ``figure>number`` compares, ``~word`` or ``-f word`` takes the letters in their
order with anything between. Quotes keep blanks together. It is compiled once and then asked for every row, each tick.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from transcoder_tui.console.status import WORDS
from transcoder_tui.errors import InvalidInput

if TYPE_CHECKING:
    from transcoder_tui.models.health import Health
    from transcoder_tui.models.job import Status
    from transcoder_tui.models.view import ChannelView

Test = Callable[["ChannelView"], bool]
Check = Callable[[Any], bool]
"""Of what a field holds, or of a figure."""
Text = Callable[["ChannelView"], str]
Figure = Callable[["ChannelView"], float | None]
Subject = Text | Figure


@lru_cache
def _status_words(status: "Status", health: "Health") -> str:
    """In the operator's words and the API's."""
    words = [status.value, WORDS[status]]
    if status == "running" and health != "ok":
        words += ["unwell", health.value]
    elif health == "ok" and status not in ("error", "retrying"):
        words.append("ok")
    if status in ("stopped", "error", "retrying"):
        words.append("off air")
    return "\n".join(words)


def _status(row: "ChannelView") -> str:
    return _status_words(row.status, row.health)


def _health(row: "ChannelView") -> str:
    seen = (f"{alarm.health.value} {'acknowledged' if alarm.acknowledged_by else 'new'}" for alarm in row.alarms)
    return "\n".join([row.health.value, *seen])


def _encoders(row: "ChannelView") -> str:
    return "\n".join([*row.renditions, *(encoder.words for encoder in row.encoders)])


def _anything(row: "ChannelView") -> str:
    """What a word without a field is looked for in."""
    outputs = "\n".join(row.outputs)
    return f"{row.name}\n{row.group or ''}\n{row.source}\n{outputs}\n{_status_words(row.status, row.health)}"


FIELDS: dict[str, Text] = {
    "name": lambda row: row.name,
    "group": lambda row: row.group or "",
    "src": lambda row: row.source,
    "out": lambda row: "\n".join(row.outputs),
    "nic": lambda row: row.interface or "",
    "status": _status,
    "health": _health,
    "cause": lambda row: f"{row.message}\n{row.remedy}",
    "rendition": _encoders,
}
"""What ``field:word`` looks into."""

ALIASES = {"source": "src", "output": "out", "interface": "nic", "alarm": "health", "message": "cause"}
ALIASES |= {"encoder": "rendition"}
"""Other names of these fields."""

FIGURES: dict[str, Figure] = {
    "cpu": lambda row: row.telemetry.cpu_percent,
    "ram": lambda row: row.telemetry.rss_bytes,
    "fps": lambda row: row.telemetry.fps,
    "speed": lambda row: row.telemetry.speed,
    "bitrate": lambda row: row.telemetry.bitrate,
    "drops": lambda row: row.telemetry.drops,
    "dups": lambda row: row.telemetry.dups,
    "corrupt": lambda row: row.telemetry.corrupt,
    "lost": lambda row: row.telemetry.lost,
    "restarts": lambda row: row.restarts,
    "sources": lambda row: row.sources,
    "priority": lambda row: row.priority,
    "id": lambda row: row.id,
}
"""What ``figure>number`` compares; a channel without the figure never matches."""

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda one, other: one >= other,
    "<=": lambda one, other: one <= other,
    "!=": lambda one, other: one != other,
    ">": lambda one, other: one > other,
    "<": lambda one, other: one < other,
    "=": lambda one, other: one == other,
}
REMEMBERED = 4096
"""Texts whose outcome a filter remembers: more than a rack has channels."""

_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}

_TOKEN = re.compile(r'(?:"[^"]*"|\'[^\']*\'(?=\s|$)|[^\s])+')
"""Up to the next blank outside of quotes. An apostrophe within a word is none."""
_COMPARISON = re.compile(r"([a-z]+)(>=|<=|!=|>|<|=)(.*)", re.IGNORECASE | re.DOTALL)
_FIELD = re.compile(r"([a-z]+):(?!//)(.*)", re.IGNORECASE | re.DOTALL)
"""An address is none: ``udp://239.1.1.1:5000``."""
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)(?:%|x|b|bps|bit/s)?", re.IGNORECASE)
_DOT_OF_AN_ADDRESS = re.compile(r"(?<=\d)\.(?=\d)")
_ENDLESS = re.compile(r"\([^()]*[*+}][^()]*\)\s*[*+{]")
"""A repetition that is repeated, such as ``(a+)+``: Python's engine can take hours over a few letters of it."""


def compiled(text: str) -> Test:
    """The filter as a test for one channel.

    Raises:
        InvalidInput: Where it says something that cannot be meant.
    """
    tests: list[Test] = []
    checks: dict[Subject, list[Check]] = {}
    for token in _joined(text):
        subject, check = _term(token.removeprefix("!"))
        check = _inverted(check) if token.startswith("!") else check
        if subject in FIGURES.values():
            tests.append(lambda row, subject=subject, check=check: check(subject(row)))  # type: ignore[misc]
        else:
            checks.setdefault(subject, []).append(check)
    tests += [_remembering(subject, together) for subject, together in checks.items()]
    return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)


def matching(text: str, rows: "Iterable[ChannelView]") -> "list[ChannelView]":
    """The channels that a filter lets through; all where it says nothing.

    Raises:
        InvalidInput: Where it says something that cannot be meant.
    """
    return list(filter(compiled(text), rows))


def is_query(text: str) -> bool:
    """Whether a text says more than words: a field, a figure, a negation or letters in their order."""
    return any(
        token[:1] in "!~" or token == "-f" or _field_of(token) in {*FIELDS, *ALIASES} or _figure_of(token) in FIGURES
        for token in _TOKEN.findall(text)
    )


def words(text: str) -> list[str]:
    """What stands between blanks, those within quotes aside; without the quotes."""
    return [unquoted(token) for token in _TOKEN.findall(text)]


def status_words() -> tuple[str, ...]:
    """Words for the status and health of channels, the longest first."""
    from transcoder_tui.models.health import Health

    words = {*WORDS, *WORDS.values(), *(health.value for health in Health), "unwell"}
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


def _joined(text: str) -> Iterator[str]:
    """The terms: what stands between blanks, but statuses of several words (``on air``) and ``-f word`` in one."""
    tokens = _TOKEN.findall(text)
    if text.count('"') % 2:
        raise InvalidInput("a quote is not closed", 'write a second "')
    phrases = [words.split() for words in status_words() if " " in words]
    while tokens:
        first = tokens.pop(0)
        bare = first.lstrip("!").rpartition(":")[2].casefold()
        rest = [bare, *map(str.casefold, tokens)]
        follow = next((len(words) - 1 for words in phrases if rest[: len(words)] == words), 0)
        if first in ("-f", "!-f"):
            follow = min(1, len(tokens))
            first = first.replace("-f", "~", 1)
            yield first + "".join(tokens[:follow])
        else:
            yield " ".join([first, *tokens[:follow]])
        del tokens[:follow]


def _term(token: str) -> tuple[Subject, Check]:
    """What a term looks at, and what it wants of it."""
    if not token:
        raise InvalidInput("! inverts nothing", "write what is not to be shown after it, such as !ok")
    if token.startswith("~"):
        return FIELDS["name"], _fuzzy(token[1:])
    if comparison := _COMPARISON.fullmatch(token):
        name, operator, number = comparison[1].casefold(), comparison[2], comparison[3]
        if name in FIGURES:
            return FIGURES[name], _compares(name, operator, number)
        if operator in ("<", ">", "<=", ">="):
            raise InvalidInput(f"there is no figure {name!r}", f"compare one of {', '.join(FIGURES)}")
    if found := _FIELD.fullmatch(token):
        name, word = found[1].casefold(), found[2]
        text = FIELDS.get(ALIASES.get(name, name))
        if text is None:
            raise InvalidInput(
                f"there is no field {name!r}", f'name one of {", ".join(FIELDS)}, or write "{token}" in quotes'
            )
        if not word:
            raise InvalidInput(f"{name}: looks for nothing", f"write a part of it, such as {name}:{_EXAMPLES[name]}")
        return text, _contains(word)
    return _anything, _contains(token)


_EXAMPLES = dict.fromkeys((*FIELDS, *ALIASES), "news") | {"status": "error", "src": "239.1", "out": "hls"}
_EXAMPLES |= {"health": "new", "alarm": "new", "nic": "eth1", "cause": "silent", "rendition": "720p"}


def _figure_of(token: str) -> str:
    comparison = _COMPARISON.fullmatch(token)
    return comparison[1].casefold() if comparison else ""


def _field_of(token: str) -> str:
    found = _FIELD.fullmatch(token)
    return found[1].casefold() if found else ""


def _compares(name: str, operator: str, number: str) -> Check:
    found = _NUMBER.fullmatch(number)
    if found is None:
        what = f"{number!r} is no number" if number else f"{name}{operator} compares with nothing"
        raise InvalidInput(what, f"write one, such as {name}{operator}{'5M' if name in ('bitrate', 'ram') else '1'}")
    compare, limit = _OPERATORS[operator], float(found[1]) * _UNITS[found[2].casefold()]
    return lambda figure: figure is not None and compare(figure, limit)


def _fuzzy(word: str) -> Check:
    letters = unquoted(word).casefold()
    if not letters:
        raise InvalidInput("~ looks for nothing", "write letters of a name after it, such as ~nws")

    def check(text: str) -> bool:
        rest = iter(text.casefold())
        return all(letter in rest for letter in letters)

    return check


def _contains(word: str) -> Check:
    literal = unquoted(word)
    if literal == word and word.casefold() in status_words():
        # As whole words: !ok is not to hide Tokyo.
        return _expression(rf"\b{re.escape(word)}\b")
    if literal != word or not set(_DOT_OF_AN_ADDRESS.sub("", word)) & set(".^$*+?{}[]|()\\"):
        return _literal(literal)
    if _ENDLESS.search(word):
        raise InvalidInput("this repeats a repetition, which could take for ever", "repeat it once, as in (ab)+")
    try:
        return _expression(_DOT_OF_AN_ADDRESS.sub(r"\\.", word))
    except (re.error, OverflowError, RecursionError):
        return _literal(word)


def _literal(word: str) -> Check:
    folded = word.casefold()
    return lambda text: folded in text.casefold()


def _expression(expression: str) -> Check:
    search = re.compile(expression, re.IGNORECASE | re.MULTILINE).search
    return lambda text: search(text) is not None


def _remembering(text: Subject, checks: Sequence[Check]) -> Test:
    """A test of a text. Figures change each second, texts seldom: each text is looked at once."""

    @lru_cache(REMEMBERED)
    def known(found: object) -> bool:
        return all(check(found) for check in checks)

    return lambda row: known(text(row))


def _inverted(check: Check) -> Check:
    return lambda found: not check(found)


def unquoted(word: str) -> str:
    """A word without the quotes around it."""
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word


# Completion


@dataclass(frozen=True, slots=True)
class Completions:
    """What the end of a line could become."""

    start: int
    """Where the part begins that they replace."""
    choices: tuple[str, ...] = ()
    """The likeliest first."""

    def lines(self, text: str) -> list[str]:
        """The whole line with each of them."""
        return [text[: self.start] + choice for choice in self.choices]


MOST_CHOICES = 200
"""More cannot be looked through one by one."""


def completions(text: str, rows: "Iterable[ChannelView]", *, fields: bool = True) -> Completions:
    """What the last term could become: fields and figures, else what the channels have in its field.

    Args:
        text: What was typed.
        rows: The channels.
        fields: Whether it may be more than a name.
    """
    token = last_word(text)
    start = len(text) - len(token.lstrip("!"))
    token = token.lstrip("!")
    found = _FIELD.fullmatch(token)
    if found and (name := ALIASES.get(found[1].casefold(), found[1].casefold())) in FIELDS:
        values = sorted(status_words()) if name == "status" else _values(FIELDS[name], rows)
        return Completions(start + found.start(2), beginning(found[2], map(quoted, values)))
    if not fields:
        return Completions(start, beginning(token, map(quoted, _values(FIELDS["name"], rows))))
    if not token:
        return Completions(start, tuple(f"{name}:" for name in FIELDS))
    names = [*(f"{name}:" for name in (*FIELDS, *ALIASES)), *(f"{name}>" for name in FIGURES)]
    offered = [*names, *map(quoted, sorted(status_words())), *map(quoted, _values(FIELDS["name"], rows))]
    return Completions(start, beginning(token, offered))


def last_word(text: str) -> str:
    """What is being typed: the part after the last blank outside of quotes."""
    closed = text + '"' if text.count('"') % 2 else text
    *_, last = [0, *(token.start() for token in _TOKEN.finditer(closed))]
    return text[last:] if closed != text or text[-1:].strip() else ""


def _values(text: Text, rows: "Iterable[ChannelView]") -> list[str]:
    return sorted({value for row in rows for value in text(row).split("\n") if value}, key=str.casefold)


def quoted(value: str) -> str:
    """A value as it is written into a line, where blanks part words."""
    return f'"{value}"' if " " in value else value


def beginning(typed: str, offered: Iterable[str]) -> tuple[str, ...]:
    """Those that begin as typed, whatever the case and with or without a quote."""
    wanted = typed.lstrip('"').casefold()
    unique: Sequence[str] = list(dict.fromkeys(offered))
    return tuple(choice for choice in unique if choice.lstrip('"').casefold().startswith(wanted))[:MOST_CHOICES]
