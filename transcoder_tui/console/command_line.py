"""The language of the command line: ``start news*``, ``goto 17``, ``mark !ok``, ``theme day``. Pure.

Its verbs are declared once: completion, the help screen and what carries them out read them here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from transcoder_tui.console import query
from transcoder_tui.console.query import Completions, beginning
from transcoder_tui.console.state import SORT_KEYS, Rack
from transcoder_tui.console.theme import NAMES
from transcoder_tui.errors import InvalidInput

if TYPE_CHECKING:
    from transcoder_tui.models.view import ChannelView

Kind = Literal["nothing", "channels", "channel", "query", "column", "theme", "group", "switch", "path", "text"]
"""What a verb takes, which decides how it is completed."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One command."""

    name: str
    takes: str
    """What follows it, as the help writes it; in brackets where it may be left out."""
    help: str
    """A sentence for the help."""
    kind: Kind = "nothing"
    writes: bool = False
    """Whether it changes something; such verbs are off in a read-only console."""

    @property
    def words(self) -> str:
        """``:start [CHANNELS]``."""
        return f":{self.name} {self.takes}".rstrip()


VERBS: tuple[Verb, ...] = (
    Verb("start", "[WHICH]", "Start: news*, group:News, !ok; else the marked", "channels", writes=True),
    Verb("stop", "[WHICH]", "Stop; asks where something is on air", "channels", writes=True),
    Verb("restart", "[WHICH]", "Restart; asks where something is on air", "channels", writes=True),
    Verb("delete", "[WHICH]", "Stop and delete; always asks", "channels", writes=True),
    Verb("acknowledge", "[WHICH]", "Say that their alarms have been seen", "channels", writes=True),
    Verb("group", "[NAME]", "Move the marked to a group; without a name, asks", "group", writes=True),
    Verb("new", "", "Create a channel", writes=True),
    Verb("edit", "[CHANNEL]", "Edit a channel", "channel", writes=True),
    Verb("clone", "[CHANNEL]", "Create a channel from another", "channel", writes=True),
    Verb("undo", "", "Undo the last change of channels", writes=True),
    Verb("export", "[WHICH] FILE", "Write a line-up file: the marked, else all", "path"),
    Verb("import", "FILE", "Read a line-up; shows what it changes before", "path", writes=True),
    Verb("probe", "URL", "Look into a source: programs, streams, bitrates", "text"),
    Verb("goto", "CHANNEL", "To a channel, by its name, part of it, id or line", "channel"),
    Verb("mark", "QUERY", "Mark what a filter would show", "query"),
    Verb("unmark", "[QUERY]", "Take the marks away", "query"),
    Verb("filter", "[QUERY]", "Show only this; without it, all", "query"),
    Verb("sort", "COLUMN", "Sort; the same again turns it round", "column"),
    Verb("channels", "", "All channels"),
    Verb("channel", "[CHANNEL]", "Everything about a channel", "channel"),
    Verb("events", "", "Alarms, and who did what"),
    Verb("system", "", "What the machine has left"),
    Verb("ladders", "", "Renditions under a name"),
    Verb("settings", "", "What is in force, and where it comes from"),
    Verb("help", "", "Keys and commands"),
    Verb("theme", "NAME", f"Colours: {', '.join(NAMES)}", "theme"),
    Verb("bell", "on|off", "Ring for new alarms, or not", "switch"),
    Verb("flash", "on|off", "Flash for new alarms, or not", "switch"),
    Verb("quit", "", "Leave; channels stay on air"),
)
"""In the order of the help."""

Files = Callable[[str], Iterable[str]]

SWITCH = {"on": True, "off": False}


def read(line: str) -> tuple[Verb, str]:
    """The verb of a line, which may be shortened while it is clear, and what follows it; a number is a ``goto``.

    Raises:
        InvalidInput: Where there is no such verb, or it misses what it takes.
    """
    word, _, rest = line.strip().lstrip(":").strip().partition(" ")
    argument = rest.strip()
    if word.isdigit() and not argument:
        word, argument = "goto", word
    verb = _verb(word)
    if verb.takes and not verb.takes.endswith("]") and not argument:
        raise InvalidInput(f"{verb.name} wants more", f"write {verb.words}")
    if argument and not verb.takes:
        raise InvalidInput(f"{verb.name} takes nothing", f"write {verb.words}")
    return verb, argument


def _verb(word: str) -> Verb:
    found = [verb for verb in VERBS if verb.name.startswith(word.casefold())]
    # ":channel" is a verb although there is ":channels".
    shortest = min(found, key=lambda verb: len(verb.name), default=None)
    if shortest is not None and word and all(verb.name.startswith(shortest.name) for verb in found):
        return shortest
    if found and word:
        raise InvalidInput(f"{word!r} could be {_or([verb.name for verb in found])}", "write a letter more")
    near = _nearest(word, [verb.name for verb in VERBS])
    raise InvalidInput(f"there is no command {word!r}", f"write {near}" if near else "tab shows them, :help lists them")


def switched(argument: str) -> bool:
    """Whether ``on`` or ``off`` was written.

    Raises:
        InvalidInput: Where it is something else.
    """
    if argument.casefold() not in SWITCH:
        raise InvalidInput(f"{argument!r} is neither on nor off", "write on or off")
    return SWITCH[argument.casefold()]


def named(argument: str, names: Iterable[str], what: str) -> str:
    """The one that was meant of some names, whatever the case; it may be shortened while it is clear.

    Raises:
        InvalidInput: Where there is none, or it could be several.
    """
    known = list(names)
    exact = [name for name in known if name.casefold() == argument.casefold()]
    found = exact or [name for name in known if name.casefold().startswith(argument.casefold())]
    if len(found) == 1:
        return found[0]
    raise InvalidInput(f"there is no {what} {argument!r}", f"write {_or(found or known)}")


def channels(argument: str, rack: Rack) -> "list[ChannelView]":
    """The channels that are meant: a name, names with ``*`` and ``?``, several of them, or a filter.

    A part of a name is not enough: what is stopped is to be written out, or to have its star.

    Raises:
        InvalidInput: Where none is meant.
    """
    rows = sorted(rack.channels.values(), key=SORT_KEYS["name"])
    if called := [row for row in rows if row.name.casefold() == argument.casefold()]:
        return called
    if query.is_query(argument):
        found = query.matching(argument, rows)
        if not found:
            raise InvalidInput(f"no channel matches {argument!r}", "try it as a filter, with /")
        return found
    if whole := _like(argument, rows):
        return whole
    several: dict[int, ChannelView] = {}
    for word in query.words(argument):
        found = _like(word, rows)
        if not found:
            near = _nearest(word, [row.name for row in rows])
            remedy = f"write {near}" if near else f"write its whole name, or a part with a star: *{word.strip('*')}*"
            raise InvalidInput(f"no channel is called {word!r}", remedy)
        several.update((row.id, row) for row in found)
    return list(several.values())


def file(argument: str) -> tuple[str, str]:
    """What stands before the path at the end of a line, and this path without its quotes."""
    path = query.last_word(argument)
    return argument.removesuffix(path).strip(), query.unquoted(path)


def channel(argument: str, rack: Rack) -> "ChannelView":
    """The one channel that is meant: by its id or its line, by its name, how that begins, or a part of it.

    Raises:
        InvalidInput: Where there is none.
    """
    shown = dict.fromkeys(rack.shown)
    hidden = sorted((row for row in rack.channels.values() if row.id not in shown), key=SORT_KEYS["name"])
    rows = [*(rack.channels[number] for number in shown), *hidden]
    wanted = query.unquoted(argument).casefold()
    if wanted.isdigit():
        number = int(wanted)
        if number in rack.channels:
            return rack.channels[number]
        if 1 <= number <= len(shown):
            return rows[number - 1]
    found = [row for row in rows if wanted in row.name.casefold()]
    if found:
        return min(found, key=lambda row: (row.name.casefold() != wanted, not row.name.casefold().startswith(wanted)))
    near = _nearest(wanted, [row.name for row in rows])
    raise InvalidInput(f"no channel is called {argument!r}", f"write {near}" if near else "tab shows their names")


def _like(pattern: str, rows: "list[ChannelView]") -> "list[ChannelView]":
    wanted = query.unquoted(pattern).casefold()
    if wanted.isdigit():
        return [row for row in rows if str(row.id) == wanted or row.name == wanted]
    return [row for row in rows if row.name.casefold() == wanted or fnmatchcase(row.name.casefold(), wanted)]


def _nearest(word: str, names: list[str]) -> str:
    from difflib import get_close_matches

    folded = {name.casefold(): name for name in names}
    return next((folded[near] for near in get_close_matches(word.casefold(), folded, 1)), "")


def _or(names: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


# Completion


def completions(line: str, rack: Rack, files: Files) -> Completions:
    """What the end of a line could become: a verb, else what this verb takes.

    Args:
        line: What was typed.
        rack: Its names, groups and addresses.
        files: The paths that begin like one.
    """
    begin = len(line) - len(line.lstrip(": "))
    word, blank, rest = line[begin:].partition(" ")
    if not blank:
        return Completions(begin, beginning(word, (f"{verb.name} " if verb.takes else verb.name for verb in VERBS)))
    try:
        verb = _verb(word)
    except InvalidInput:
        return Completions(len(line))
    start = len(line) - len(rest)
    rows = rack.channels.values()
    if verb.kind == "query" or (verb.kind == "channels" and query.is_query(f"{rest} ")):
        return _moved(query.completions(rest, rows), start)
    if verb.kind == "path":
        last = query.last_word(rest)
        return Completions(len(line) - len(last), beginning(last, map(query.quoted, files(query.unquoted(last)))))
    if offered := _offered(verb.kind, rack):
        whole = beginning(rest, offered)
        if whole or verb.kind != "channels":
            return Completions(start, whole)
        return _moved(query.completions(rest, rows, fields=False), start)
    return Completions(len(line))


def _offered(kind: Kind, rack: Rack) -> list[str]:
    rows = rack.channels.values()
    names = sorted((row.name for row in rows), key=str.casefold)
    groups = sorted({row.group for row in rows if row.group}, key=str.casefold)
    return {
        "channels": [*names, *(f"group:{query.quoted(group)}" for group in groups)],
        "channel": names,
        "column": list(SORT_KEYS),
        "theme": list(NAMES),
        "group": groups,
        "switch": list(SWITCH),
    }.get(kind, [])


def _moved(found: Completions, start: int) -> Completions:
    return Completions(start + found.start, found.choices)
