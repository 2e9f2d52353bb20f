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
    error="#ef6b6b",
    foreground="#d5dae1",
    background="#10141a",
    surface="#171c24",
    panel="#212936",
    dark=True,
    variables={
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#2b4a6b",
        "block-cursor-text-style": "none",
        "input-selection-background": "#5aa9e6 40%",
        "scrollbar": "#3a4556",
        "scrollbar-background": "#171c24",
    },
)
"""Dark, for rooms in which people look at pictures; contrast of every text at least 4.5:1 (WCAG 2.2, 1.4.3)."""


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
