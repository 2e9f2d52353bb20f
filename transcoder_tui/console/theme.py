"""The console's colours, and which of them a terminal can show."""

from collections.abc import Mapping

from textual.theme import Theme

NIGHT = Theme(
    name="night",
    primary="#5aa9e6",
    secondary="#7f8fa6",
    accent="#e0a458",
    success="#5fbf7f",
    warning="#e5b454",
    error="#f68686",
    foreground="#d5dae1",
    background="#10141a",
    surface="#171c24",
    panel="#212936",
    dark=True,
    variables={
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#1f3a56",
        "block-cursor-text-style": "none",
        "input-selection-background": "#5aa9e6 40%",
        "scrollbar": "#6a7a90",
        "scrollbar-background": "#171c24",
    },
)
"""Dark, for rooms in which people look at pictures; contrast of every text at least 4.5:1 (WCAG 2.2, 1.4.3)."""


DAY = Theme(
    name="day",
    primary="#0b5c96",
    secondary="#4c5a6b",
    accent="#8a4b00",
    success="#11682f",
    warning="#6e4a00",
    error="#b3201f",
    foreground="#1b222b",
    background="#fbfcfd",
    surface="#f0f3f6",
    panel="#e0e6ec",
    dark=False,
    variables={
        "block-cursor-foreground": "#0d1218",
        "block-cursor-background": "#cfe4f5",
        "block-cursor-text-style": "none",
        "input-selection-background": "#0b5c96 30%",
        "scrollbar": "#7d8894",
        "scrollbar-background": "#f0f3f6",
    },
)
"""Light, for terminals in daylight."""

CLEAR = Theme(
    name="clear",
    primary="#7cc4f2",
    secondary="#8c9aab",
    accent="#d7a3c4",
    success="#5ab4ec",
    warning="#f2e34c",
    error="#ff8a4d",
    foreground="#e6eaef",
    background="#0d1014",
    surface="#151a20",
    panel="#212832",
    dark=True,
    variables={
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#1f384e",
        "block-cursor-text-style": "none",
        "input-selection-background": "#7cc4f2 40%",
        "scrollbar": "#6f8096",
        "scrollbar-background": "#151a20",
    },
)
"""Dark, with colours that remain apart in every kind of colour blindness: blue is good, yellow warns, orange alarms
(after the palette of Okabe and Ito, "Color Universal Design", 2008)."""

THEMES = {theme.name: theme for theme in (NIGHT, DAY, CLEAR)}
"""Those made for this console, by name."""
SIXTEEN = "ansi-dark"
"""Textual's theme in the terminal's own sixteen colours."""
NAMES = (*THEMES, SIXTEEN, "ansi-light")
"""What an operator can choose from."""


def needs_sixteen(environment: Mapping[str, str]) -> bool:
    """Whether the terminal should be given its own sixteen colours: it has no more, or wants none (no-color.org).

    Args:
        environment: The process's environment.
    """
    if environment.get("NO_COLOR"):
        return True
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return False
    return "256" not in environment.get("TERM", "")
