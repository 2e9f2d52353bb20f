"""The lines of the settings: the console's own, which can be changed here, and those of the worker. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from transcoder_tui.console.preferences import Preferences
from transcoder_tui.console.theme import NAMES

if TYPE_CHECKING:
    from transcoder_tui.models.setting import Setting, SettingValue

Switch = Literal["bell", "flash", "wrap", "timestamps"]

SWITCHES: tuple[tuple[Switch, str], ...] = (
    ("bell", "Whether the terminal's bell rings at a new alarm."),
    ("flash", "Whether the title flashes at a new alarm."),
    ("wrap", "Whether long lines of a log are wrapped."),
    ("timestamps", "Whether lines of a log show their time."),
)
"""What is on or off, with what it means."""


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One setting as it is shown."""

    name: str
    value: str
    origin: str
    """Where its value comes from."""
    help: str
    """What it means, and how it is changed."""
    own: bool = False
    """Whether it belongs to this console, and is changed here."""
    is_default: bool = True


def console_lines(preferences: Preferences, theme: str, written: Path) -> Iterator[SettingLine]:
    """The console's own settings.

    Args:
        preferences: What is in force.
        theme: The theme that is shown.
        written: The file in which a person may set them.
    """
    fresh = Preferences()
    yield SettingLine(
        "theme",
        theme,
        "chosen" if preferences.theme else "the terminal's abilities",
        f"The console's colours, one of {', '.join(NAMES)}.",
        own=True,
        is_default=not preferences.theme,
    )
    for name, words in SWITCHES:
        value = getattr(preferences, name)
        is_default = value == getattr(fresh, name)
        yield SettingLine(
            name,
            "on" if value else "off",
            "default" if is_default else "chosen",
            words,
            own=True,
            is_default=is_default,
        )
    own = ", ".join(f"{action}: {' '.join(keys)}" for action, keys in preferences.keys.items())
    yield SettingLine(
        "keys",
        own or "as in the help",
        f"file {written}" if own else "default",
        f"Keys of your own, under [keys] in {written}, such as: start = 'S'",
        is_default=not own,
    )


def worker_lines(settings: "Iterable[Setting]") -> Iterator[SettingLine]:
    """The worker's settings, in its own order."""
    for setting in settings:
        variable = f"TRANSCODER_{setting.name.upper().replace('.', '__')}"
        default = "" if setting.is_default else f" The default is {in_words(setting.default)}."
        change = f"Set it by {variable} or in the settings file, then: transcoder-tui worker reload"
        yield SettingLine(
            setting.name,
            in_words(setting.value),
            setting.origin,
            f"{' '.join(setting.help.replace('``', '').split())}{default}\n{change}",
            is_default=setting.is_default,
        )


def in_words(value: "SettingValue") -> str:
    """A value as it is shown."""
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
