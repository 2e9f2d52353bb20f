"""Everything that an operator can do in the console, declared once: keys, footer and help all read it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding
from textual.keys import key_to_character

Scope = Literal[
    "console",
    "view",
    "orders",
    "moving",
    "channels",
    "channel",
    "events",
    "system",
    "ladders",
    "settings",
    "form",
    "channel_form",
    "log",
]
"""Where keys are valid: ``console`` everywhere, ``view`` in every full screen that has a number, ``orders`` in those on
which channels take orders, ``moving`` in those that are moved through line by line, ``form`` in every form, ``log``
where a log has the keys, the others in that screen only."""

ViewName = Literal["channels", "channel", "events", "system", "ladders", "settings"]
"""The full screens, in the order of their numbers."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that an operator can do."""

    name: str
    """Its method is ``action_NAME`` of the screen that it belongs to."""
    keys: tuple[str, ...]
    """As Textual names them; the first is the one that the footer shows."""
    label: str
    """A word or two for the footer."""
    help: str
    """A sentence for the help."""
    section: str
    """Heading under which the help lists it."""
    scope: Scope = "channels"
    footer: int = 0
    """Rank in the footer; where the terminal is narrow, the lowest goes first. 0 is never shown there."""
    writes: bool = False
    """Whether it changes something; such actions are off in a read-only console."""
    priority: bool = False
    """Whether it comes before what the focused widget does with the key."""

    @property
    def binding_id(self) -> str:
        """What a user's keymap calls it: its scope and its name."""
        return f"{self.scope}.{self.name}"

    @property
    def method(self) -> str:
        """The name in Textual's notation: ``sort('name')`` for ``sort-name``."""
        verb, _, argument = self.name.partition("-")
        return f"{verb}('{argument}')" if argument else verb


KeysOf = Callable[[Action], tuple[str, ...]]
"""The keys of an action, which may be the user's own."""

_CHANNELS = "Channels: the marked ones, else the one under the cursor"
_TABLE = "Table"
_MOVE = "Moving"
_LOG = "Log"
_IN_LOG = "Where the log has the keys"
_EVENTS = "Events"
_SYSTEM = "System"
_SCREENS = "Screens"
_LADDERS = "Ladders"
_SETTINGS = "Settings"
_CONSOLE = "Console"
_FORM = "In every form"
_CHANNEL_FORM = "In the form of a channel"
_CHANNEL = "In the screen of one channel"

_SORTS = (
    ("N", "name"),
    ("S", "status"),
    ("F", "fps"),
    ("P", "speed"),
    ("B", "bitrate"),
    ("D", "drops"),
    ("R", "restarts"),
    ("U", "uptime"),
    ("O", "source"),
    ("T", "group"),
)

VIEWS: tuple[tuple[ViewName, str, str], ...] = (
    ("channels", "Channels", "All channels, and the log of the one under the cursor"),
    ("channel", "Channel", "Everything about the channel under the cursor"),
    ("events", "Events", "Alarms, and who did what"),
    ("system", "System", "What the machine has left"),
    ("ladders", "Ladders", "Renditions under a name"),
    ("settings", "Settings", "What is in force, and where it comes from"),
)
"""Each full screen with its title and what it shows, in the order of their numbers."""

ACTIONS: tuple[Action, ...] = (
    Action("start", ("s",), "Start", "Start", _CHANNELS, "orders", footer=100, writes=True),
    Action("stop", ("x",), "Stop", "Stop; asks where something is on air", _CHANNELS, "orders", footer=99, writes=True),
    Action(
        "restart",
        ("r",),
        "Restart",
        "Restart; asks where something is on air",
        _CHANNELS,
        "orders",
        footer=98,
        writes=True,
    ),
    Action("new", ("plus",), "New", "Create a channel", _CHANNELS, "orders", footer=95, writes=True),
    Action("edit", ("e",), "Edit", "Edit the channel under the cursor", _CHANNELS, "orders", footer=94, writes=True),
    Action(
        "clone",
        ("c",),
        "Clone",
        "Create a channel from the one under the cursor",
        _CHANNELS,
        "orders",
        footer=60,
        writes=True,
    ),
    Action(
        "source",
        ("o",),
        "Source",
        "Change the channel under the cursor to another of its sources",
        _CHANNELS,
        "orders",
        footer=45,
        writes=True,
    ),
    Action("delete", ("d",), "Delete", "Stop and delete; always asks", _CHANNELS, "orders", footer=80, writes=True),
    Action("details", ("i", "enter"), "Details", "Everything about the channel under the cursor", _CHANNELS, footer=70),
    Action(
        "command",
        ("y",),
        "Command",
        "The FFmpeg command of the channel under the cursor",
        _CHANNELS,
        "orders",
        footer=50,
    ),
    Action(
        "acknowledge",
        ("a",),
        "Ack",
        "Acknowledge the alarms: somebody has seen them",
        _CHANNELS,
        "orders",
        footer=55,
        writes=True,
    ),
    Action("export", ("E",), "Export", "Write to a line-up file: the marked ones, else all", _TABLE),
    Action("import", ("I",), "Import", "Apply a line-up file, after a look at what it changes", _TABLE, writes=True),
    Action("probe", ("p",), "Probe", "Look into an address: programs, streams, bitrates", _TABLE),
    Action("demo", ("t",), "Demo", "While there are no channels: the demonstration", _TABLE, writes=True),
    Action("group", ("m",), "Group", "Move to a group", _CHANNELS, "orders", footer=35, writes=True),
    Action("mark", ("space",), "Mark", "Mark, and go one line down", _TABLE, footer=40),
    Action("mark_range", ("ctrl+space", "ctrl+@"), "Mark to here", "Mark all from the last mark to here", _TABLE),
    Action("mark_on-up", ("shift+up",), "Mark up", "Mark, and mark the one above", _TABLE),
    Action("mark_on-down", ("shift+down",), "Mark down", "Mark, and mark the one below", _TABLE),
    Action("mark_shown", ("asterisk",), "Mark all", "Mark every channel that the filter shows", _TABLE),
    Action("invert_marks", ("v",), "Invert", "Mark what is not marked, of what the filter shows", _TABLE),
    Action(
        "filter",
        ("slash",),
        "Filter",
        "Show only what matches: sport, !ok, src:239.1, cpu>50",
        _TABLE,
        footer=90,
        priority=True,
    ),
    Action("back", ("escape",), "Back", "Leave the log, else clear the marks, else clear the filter", _TABLE),
    *(
        Action(f"sort-{column}", (key,), f"Sort {column}", f"Sort by {column}; again turns it round", _TABLE)
        for key, column in _SORTS
    ),
    Action("move-up", ("up", "k"), "Up", "One line up", _MOVE, "moving"),
    Action("move-down", ("down", "j"), "Down", "One line down", _MOVE, "moving"),
    Action("move-page_up", ("pageup",), "Page up", "One page up", _MOVE, "moving"),
    Action("move-page_down", ("pagedown",), "Page down", "One page down", _MOVE, "moving"),
    Action("move-first", ("g", "home"), "First", "To the first line", _MOVE, "moving"),
    Action("move-last", ("G", "end"), "Last", "To the last line; in the log also follows it", _MOVE, "moving"),
    Action("move-left", ("left", "h"), "Left", "In the log: to the left along long lines", _MOVE),
    Action("move-right", ("right",), "Right", "In the log: to the right along long lines", _MOVE),
    Action("switch", ("tab",), "Switch", "Between table and log", _MOVE, footer=30, priority=True),
    Action("log", ("l",), "Log", "The log over the whole screen, and back", _LOG, footer=85),
    Action("follow", ("f",), "Follow", "Follow the log's end, or stay", _LOG, footer=35),
    *(
        Action(name, keys, label, words, _IN_LOG, "log", footer, priority=priority)
        for name, keys, label, words, footer, priority in (
            ("search", ("slash",), "Search", "Search; as you type, hits are lit up", 90, True),
            ("next_hit", ("n",), "Next hit", "To the next hit, further down", 80, False),
            ("previous_hit", ("N",), "Previous", "To the one before, further up; goes on in what is older", 79, False),
            ("narrow", ("ampersand",), "Only", "Show only lines with a text; with ! in front, those without", 85, True),
            ("wrap", ("w",), "Wrap", "Wrap long lines, or cut them", 70, False),
            ("times", ("t",), "Times", "Show the times, or hide them", 69, False),
            ("copy_line", ("c",), "Copy line", "Copy the line of the hit, else the lowest one", 60, False),
            ("copy_shown", ("Y",), "Copy all", "Copy the lines that are shown", 59, False),
        )
    ),
    Action("clear", ("escape",), "Clear", "Forget the search, else show all lines, else leave the log", _IN_LOG, "log"),
    Action("span", ("z",), "Span", "Graphs of ten minutes, or of a day", _CHANNEL, "channel", 96),
    Action("section", ("tab",), "Section", "To the next section; the log takes the keys", _CHANNEL, "channel", 45),
    Action(
        "go-previous",
        ("left_square_bracket", "left"),
        "Prev",
        "To the channel above in the table",
        _CHANNEL,
        "channel",
        75,
    ),
    Action(
        "go-next",
        ("right_square_bracket", "right"),
        "Next",
        "To the channel below in the table",
        _CHANNEL,
        "channel",
        76,
    ),
    Action("log", ("l",), "Log", "The log over the whole screen, and back", _CHANNEL, "channel", 84),
    Action("follow", ("f",), "Follow", "Follow the log's end, or stay", _CHANNEL, "channel"),
    Action(
        "select",
        ("enter", "space"),
        "Change",
        "Change the console's setting under the cursor",
        _SETTINGS,
        "settings",
        90,
    ),
    Action(
        "select",
        ("enter",),
        "New channel",
        "A new channel with the ladder under the cursor",
        _LADDERS,
        "ladders",
        95,
        writes=True,
        priority=True,
    ),
    Action(
        "put",
        ("p",),
        "Put in",
        "Put the ladder into the marked channels, in the place of their renditions",
        _LADDERS,
        "ladders",
        88,
        writes=True,
    ),
    Action(
        "edit",
        ("e",),
        "Edit",
        "Edit the ladder; one that comes along becomes your own",
        _LADDERS,
        "ladders",
        90,
        writes=True,
    ),
    Action(
        "clone", ("c",), "Clone", "A new ladder from the one under the cursor", _LADDERS, "ladders", 85, writes=True
    ),
    Action(
        "delete",
        ("d",),
        "Delete",
        "Delete your own ladder; one that comes along is back then",
        _LADDERS,
        "ladders",
        80,
        writes=True,
    ),
    *(
        Action("back", ("escape",), "Back", "Back to all channels", _SCREENS, scope, 100)
        for scope in ("channel", "events", "system", "ladders", "settings")
    ),
    Action("open", ("enter",), "Channel", "To the channel of the event", _EVENTS, "events", 95),
    Action("acknowledge", ("a",), "Ack", "Acknowledge the alarms of its channel", _EVENTS, "events", 90, writes=True),
    Action("filter", ("slash",), "Search", "Show only what contains a text", _EVENTS, "events", 89),
    *(
        Action(f"choose-{choice}", (key,), label, f"Only {words}; again shows all", _EVENTS, "events", rank)
        for choice, key, label, words, rank in (
            ("alarms", "A", "Alarms", "alarms", 80),
            ("audit", "O", "Audit", "what somebody did", 79),
            ("states", "T", "States", "how channels started and ended", 0),
            ("worker", "W", "Worker", "what the worker did by itself", 0),
        )
    ),
    Action("move-left", ("left", "h"), "Left", "The choice to the left: all, alarms, audit …", _EVENTS, "events"),
    Action("move-right", ("right",), "Right", "The choice to the right", _EVENTS, "events"),
    Action("follow", ("f",), "Follow", "Follow the latest event, or stay", _EVENTS, "events", 60),
    Action("details", ("i",), "Details", "Details below the list, or not", _EVENTS, "events", 50),
    Action("log", ("l",), "Whole", "The details over the whole screen, and back", _EVENTS, "events", 55),
    Action("switch", ("tab",), "Switch", "Between list and details", _EVENTS, "events", 30),
    Action("open", ("enter",), "Channel", "To the channel under the cursor", _SYSTEM, "system", 95),
    Action("switch", ("tab",), "Next part", "To the next part: cores, disks, network …", _SYSTEM, "system", 90),
    Action("switch_back", ("shift+tab",), "Part before", "To the part before", _SYSTEM, "system"),
    Action("move-left", ("left", "h"), "Left", "To the part before", _SYSTEM, "system"),
    Action("move-right", ("right",), "Right", "To the next part", _SYSTEM, "system"),
    Action("log", ("l",), "Whole", "This part over the whole screen, and back", _SYSTEM, "system", 55),
    *(
        Action(
            f"sort-{column}", (key,), f"By {column}", f"FFmpegs by {column}; again turns it round", _SYSTEM, "system"
        )
        for key, column in (
            ("C", "cpu"),
            ("M", "memory"),
            ("F", "fps"),
            ("P", "speed"),
            ("B", "bitrate"),
            ("N", "name"),
        )
    ),
    *(
        Action(f"view-{name}", (str(number),), title, words, _SCREENS, "view")
        for number, (name, title, words) in enumerate(VIEWS, 1)
    ),
    Action("last", ("minus",), "Last", "Back to the last screen", _SCREENS, "view"),
    Action(
        "next_alarm",
        ("n",),
        "Next alarm",
        "To the next channel with an alarm that nobody has seen",
        _SCREENS,
        "view",
        65,
    ),
    Action(
        "command_line",
        ("colon",),
        "Commands",
        "The command line: what it knows stands below; tab completes",
        _CONSOLE,
        "view",
        66,
        priority=True,
    ),
    Action("undo", ("u",), "Undo", "Undo the last change of channels, after a look", _CONSOLE, "view", 34, writes=True),
    Action("progress", ("b",), "Progress", "How far an order for many channels is", _CONSOLE, "view"),
    Action(
        "redraw",
        ("ctrl+l",),
        "Redraw",
        "Draw everything anew, where something else wrote to the terminal",
        _CONSOLE,
        "console",
    ),
    Action("help", ("question_mark", "f1", "7"), "Help", "This page", _CONSOLE, "view", 97),
    Action("leave", ("q", "ctrl+c"), "Leave", "Leave; channels stay on air", _CONSOLE, "view", 96),
    Action("save", ("ctrl+s", "f2"), "Save", "Save what is filled in", _FORM, "form", 100, writes=True, priority=True),
    Action("close", ("escape",), "Back", "Leave the form; asks if something changed", _FORM, "form", 99, priority=True),
    Action("next", ("down", "enter"), "Next field", "To the next field", _FORM, "form", 60),
    Action("previous", ("up",), "Previous", "To the previous field", _FORM, "form", 0),
    Action("section-next", ("pagedown",), "Next section", "To the next source, rendition or output", _FORM, "form", 65),
    Action("section-previous", ("pageup",), "Section before", "To the section before", _FORM, "form", 0),
    Action("add", ("f6",), "Add", "Add another source, rendition or output below this one", _FORM, "form", 80),
    *(
        Action(name, (key,), label, words, _CHANNEL_FORM, "channel_form", rank)
        for name, key, label, words, rank in (
            ("ladder", "f9", "Ladder", "Take the renditions from a ladder", 70),
            ("keep", "f7", "Keep", "Keep the renditions as a ladder", 69),
            ("probe", "f4", "Probe", "Look into this source: programs, streams, bitrates", 75),
        )
    ),
    Action("remove", ("f8",), "Remove", "Remove this source, rendition or output", _FORM, "form", 79),
    *(
        Action(name, (key,), label, words, _CHANNEL_FORM, "channel_form", rank)
        for name, key, label, words, rank in (
            ("interfaces", "f3", "Interfaces", "List the interfaces with what they carry; so does space", 74),
            ("command", "f5", "Command", "Show the FFmpeg command that this gives, or hide it", 73),
            ("scroll_command-up", "ctrl+up", "Command up", "Up along a long command", 0),
            ("scroll_command-down", "ctrl+down", "Command down", "Down along a long command", 0),
        )
    ),
)
"""In the order of the help."""


def actions_for(*scopes: Scope) -> Iterator[Action]:
    """The actions of some scopes, in the order of the help."""
    return (action for action in ACTIONS if action.scope in scopes)


_SHARED: dict[Scope, tuple[Scope, ...]] = {
    "channels": ("orders", "moving", "view"),
    "channel": ("orders", "moving", "view"),
    "events": ("moving", "view"),
    "system": ("moving", "view"),
    "ladders": ("moving", "view"),
    "settings": ("moving", "view"),
    "form": (),
    "channel_form": ("form",),
}


def scopes_of(scope: Scope) -> tuple[Scope, ...]:
    """The scopes whose keys are valid in a screen: its own, and what it shares with others."""
    return (scope, *_SHARED.get(scope, ("view",)), "console")


def bindings_for(scope: Scope) -> list[Binding]:
    """The keys of a screen."""
    return [
        Binding(
            ",".join(action.keys),
            action.method,
            action.label,
            show=False,
            priority=action.priority,
            id=action.binding_id,
        )
        for action in actions_for(scope)
    ]


_SHOWN_KEYS = {
    "space": "space",
    "slash": "/",
    "asterisk": "*",
    "plus": "+",
    "minus": "-",
    "colon": ":",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "question_mark": "?",
    "ampersand": "&",
    "escape": "esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "home": "Home",
    "end": "End",
}


def shown_key(key: str) -> str:
    """A key as its cap reads: ``/`` for ``slash``, ``^s`` for ``ctrl+s``, ``F2`` for ``f2``."""
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    if len(key) > 1 and key[0] == "f" and key[1:].isdigit():
        return key.upper()
    glyph = key_to_character(key) or ""
    return _SHOWN_KEYS.get(key) or (glyph if glyph.isprintable() else "") or key
