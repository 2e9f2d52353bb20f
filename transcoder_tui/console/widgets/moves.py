"""Moves through a list by the keys of the table."""

from textual.widgets import OptionList


def move_through(listed: OptionList, where: str) -> None:
    """Moves the cursor of a list.

    Args:
        listed: The list.
        where: ``up``, ``down``, ``page_up``, ``page_down``, ``first`` or ``last``; anything else moves nothing.
    """
    moves = {
        "up": listed.action_cursor_up,
        "down": listed.action_cursor_down,
        "page_up": listed.action_page_up,
        "page_down": listed.action_page_down,
        "first": listed.action_first,
        "last": listed.action_last,
    }
    if where in moves:
        moves[where]()
