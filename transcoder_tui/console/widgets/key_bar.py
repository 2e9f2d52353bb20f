"""The last line: the keys that matter here, as many as fit, from the action registry."""

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.strip import Strip

from transcoder_tui.console.actions import Action, KeysOf, Scope, actions_for, scopes_of, shown_key
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted

if TYPE_CHECKING:
    from transcoder_tui.console.app import ConsoleApp


def footer_actions(
    scope: Scope, width: int, *, read_only: bool, keys_of: KeysOf = lambda action: action.keys
) -> list[Action]:
    """The actions that fit a line, in the registry's order; the least important are left out.

    Args:
        scope: Whose actions.
        width: Cells of the line.
        read_only: Leaves out what would change something.
        keys_of: The keys of an action, which may be the user's own.
    """
    taken = {key for action in actions_for(scope) for key in action.keys}
    offered = [
        action
        for action in actions_for(*scopes_of(scope))
        if action.footer
        and not (read_only and action.writes)
        and (action.scope == scope or action.keys[0] not in taken)
    ]
    chosen: list[Action] = []
    room = width
    for action in sorted(offered, key=lambda action: -action.footer):
        room -= cell_len(shown_key(keys_of(action)[0])) + len(action.label) + 3
        if room < 0:
            break
        chosen.append(action)
    return [action for action in offered if action in chosen]


class KeyBar(Painted):
    """Shows keys and what they do.

    Args:
        scope: Whose actions.
        read_only: Whether actions that change something are left out.
    """

    app: "ConsoleApp"
    PREFIX = "key-bar"
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key", "key-bar--label", "key-bar--progress"}

    def __init__(self, scope: Scope, *, read_only: bool = False, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._scope = scope
        self._read_only = read_only
        self._progress = ""

    def offer(self, scope: Scope) -> None:
        """Shows the keys of another part of the screen, which has them now."""
        if scope != self._scope:
            self._scope = scope
            self.refresh()

    def tell(self, progress: str) -> None:
        """Says how far something is that goes on in the background; empty where nothing does."""
        if progress != self._progress:
            self._progress = progress
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line of keys."""
        key = self.tone("key")
        label = self.tone("label")
        parts = []
        told = f" {self._progress}, b shows it " if self._progress else ""
        room = self.size.width - cell_len(told)
        keys_of = self.app.keys_of
        for action in footer_actions(self._scope, room, read_only=self._read_only, keys_of=keys_of):
            parts += [(f" {shown_key(keys_of(action)[0])}", key), (f" {action.label} ", label)]
        gap = room - sum(cell_len(text) for text, _ in parts)
        parts += [(" " * max(0, gap), label), (fit(told, self.size.width) if room < 0 else told, self.tone("progress"))]
        return line(parts, self.size.width, self.base)
