"""What an operator has set for his consoles, and what they keep for him from one to the next.

Two files lie in the user's own directories: a person writes ``console.toml``, the consoles write ``console.json``.
Neither has to be there, and none that is damaged, foreign or on a full disk stops a console: it goes on with what it
could read and says so once.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import platformdirs

from transcoder_tui import locks
from transcoder_tui.client.sanitise import sanitise

APP = "transcoder-tui"

History = Literal["filters", "commands"]
"""What was typed into the filter, and into the command line."""

REMEMBERED = 200
"""Lines of each history."""
LONGEST = 1000
"""Characters of a line that is remembered: more is a mishap of the clipboard."""
MOST_BYTES = 1_000_000
"""Of a file that is read; ours is at most some 400 kB long."""
LOCK_TRIES = 200
"""Attempts to get the lock, 5 ms apart; each console has it for less than that. One that was stopped in the middle
of it must not stop the others."""

_SETTINGS: dict[str, type] = {"theme": str, "bell": bool, "flash": bool}
"""What a person may write, and also change in the console."""
_KEPT: dict[str, type] = {"sort": str, "reverse": bool, "wrap": bool, "timestamps": bool}
"""What only the console writes."""
_HISTORIES: tuple[History, ...] = ("filters", "commands")
_WORDS = {str: 'a text in quotes, such as "night"', bool: "true or false"}


def written_file() -> Path:
    """What a person writes."""
    return platformdirs.user_config_path(APP) / "console.toml"


def kept_file() -> Path:
    """What the consoles keep."""
    return platformdirs.user_state_path(APP) / "console.json"


@dataclass
class Preferences:
    """What is in force. Without files, as in tests, it holds for one console only."""

    theme: str = ""
    """Name of a theme; empty: the one that the terminal's abilities ask for."""
    bell: bool = True
    """Whether the terminal's bell rings at a new alarm."""
    flash: bool = True
    """Whether a new alarm flashes."""
    sort: str = "name"
    """The column by which the table is sorted."""
    reverse: bool = False
    """Whether it is sorted the other way round."""
    wrap: bool = False
    """Whether long lines of a log are wrapped."""
    timestamps: bool = True
    """Whether lines of a log show their time."""
    filters: list[str] = field(default_factory=list)
    """What was typed into the filter, oldest first."""
    commands: list[str] = field(default_factory=list)
    """What was typed into the command line, oldest first."""
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys of the user's own by the name of their action, as written: see :mod:`transcoder_tui.console.keymap`."""
    notices: list[str] = field(default_factory=list)
    """What was wrong with the files when they were read."""
    tell: Callable[[str], None] = lambda _: None
    """Tells the operator that something cannot be kept; called once."""
    kept: Path | None = None
    """Where it is kept."""

    @classmethod
    def load(cls, written: Path, kept: Path) -> "Preferences":
        """Reads both files; what is wrong with them is told in ``notices``.

        Args:
            written: What a person writes; it need not be there.
            kept: What the consoles keep; it need not be there.
        """
        # A user without a home has "~" for one, which would be a directory wherever the console was started.
        found = cls(kept=kept if kept.is_absolute() else None)
        stored = found._read(kept, json.loads, "it begins anew")
        document = found._written(written)
        for name, kind in _KEPT.items():
            if type(stored.get(name)) is kind:
                setattr(found, name, stored[name])
        for history in _HISTORIES:
            setattr(found, history, _lines(stored.get(history)))
        for name, kind in _SETTINGS.items():
            choice = _table(_table(stored.get("chosen")).get(name))
            given = document.get(name)
            # What was chosen in the console holds until the person writes something else.
            value = choice.get("value") if choice and choice.get("over") == given else given
            if type(value) is kind:
                setattr(found, name, value)
        return found

    def keep(self, **changes: str | bool) -> None:
        """Takes over what the operator chose, and keeps it.

        Args:
            changes: Any of theme, bell, flash, sort, reverse, wrap and timestamps.
        """
        for name, value in changes.items():
            setattr(self, name, value)

        def change(stored: dict[str, Any]) -> None:
            chosen = _table(stored.get("chosen"))
            for name, value in changes.items():
                if name in _SETTINGS:
                    chosen[name] = {"value": value, "over": self._given.get(name)}
                else:
                    stored[name] = value
            stored["chosen"] = chosen

        self._store(change)

    def remember(self, history: History, line: str) -> None:
        """Adds a line to a history, as its latest; those of other consoles stay beside it."""
        if not _is_line(line):
            return
        setattr(self, history, _added(getattr(self, history), line))
        self._store(lambda stored: stored.update({history: _added(_lines(stored.get(history)), line)}))

    # Files

    def __post_init__(self) -> None:
        self._given: Mapping[str, Any] = {}
        self._told = False

    def _written(self, file: Path) -> dict[str, Any]:
        """What a person wrote, as far as it can be used; his keys are taken over as they are."""

        def parsed(text: str) -> object:
            import tomllib

            return tomllib.loads(text)

        self._given = document = self._read(file, parsed, "nothing of it is used")
        for name, value in list(document.items()):
            wanted = _SETTINGS.get(name)
            if name == "keys" and isinstance(value, dict):
                self.keys = {action: keys for action, given in _flat(value) if (keys := self._keys(action, given))}
            elif wanted is None:
                known = ", ".join([*_SETTINGS, "[keys]"])
                self._complain(file, f"there is no setting {name!r}; known are {known}")
            elif type(value) is not wanted:
                self._complain(file, f"{name} = {value!r} is not used; write {_WORDS[wanted]}")
        return document

    def _keys(self, action: str, given: object) -> tuple[str, ...]:
        keys = [given] if isinstance(given, str) else given
        if isinstance(keys, list) and keys and all(isinstance(key, str) and key.strip() for key in keys):
            return tuple(keys)
        self.notices.append(sanitise(f'keys.{action} is not used; write a key such as "w", or several: ["w", "f3"]'))
        return ()

    def _read(self, file: Path, parse: Callable[[str], object], consequence: str) -> dict[str, Any]:
        try:
            text = _text(file)
            document = parse(text) if text is not None else {}
        except OSError as error:
            self._complain(file, f"{error.strerror or error}: {consequence}")
            return {}
        except (ValueError, RecursionError) as error:
            self._complain(file, f"cannot be read ({error}): {consequence}")
            return {}
        if not isinstance(document, dict):
            self._complain(file, f"is not what it should be: {consequence}")
        return _table(document)

    def _complain(self, file: Path, words: str) -> None:
        self.notices.append(sanitise(f"{file}: {words}"))

    def _store(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Changes what is kept, under a lock, in what other consoles have made of it meanwhile."""
        if self.kept is None:
            return
        try:
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            lock = _locked(self.kept.with_suffix(".lock"))
            try:
                stored = _table(_parsed(self.kept))
                change(stored)
                _replace(self.kept, json.dumps(stored, indent=1))
            finally:
                if lock is not None:
                    os.close(lock)
        except OSError as error:
            if not self._told:
                self._told = True
                self.tell(sanitise(f"Nothing is kept for your next console: {self.kept}: {error.strerror or error}"))


def _text(file: Path) -> str | None:
    """What is in a file; None where there is none. A pipe or device in its place would keep the console waiting."""
    if not file.is_file():
        if file.exists():
            raise OSError(f"{file.name} is no file")
        return None
    with file.open("rb") as opened:
        return opened.read(MOST_BYTES).decode()


def _parsed(file: Path) -> object:
    with suppress(ValueError, RecursionError):
        return json.loads(_text(file) or "{}")
    return None


def _locked(file: Path) -> int | None:
    for _ in range(LOCK_TRIES):
        if (held := locks.take(file)) is not None:
            return held
        time.sleep(0.005)
    return None


def _replace(file: Path, text: str) -> None:
    """Readers see the old file or the new one, never a part. Only the user may read it: it tells what was typed."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as written:
            written.write(text)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _flat(keys: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Those of ``[keys]`` and of ``[keys.log]``."""
    for name, given in keys.items():
        if isinstance(given, dict):
            yield from ((f"{name}.{own}", own_given) for own, own_given in given.items())
        else:
            yield name, given


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _lines(value: object) -> list[str]:
    return [line for line in value if _is_line(line)][-REMEMBERED:] if isinstance(value, list) else []


def _is_line(line: object) -> bool:
    return isinstance(line, str) and bool(line.strip()) and len(line) <= LONGEST and line.isprintable()


def _added(lines: list[str], line: str) -> list[str]:
    return [*(other for other in lines if other != line), line][-REMEMBERED:]
