"""Keys of the user's own, checked against the action registry. Pure.

They are written as ``[keys]`` in ``console.toml``: ``start = "w"`` for an action in every screen that has it,
``"log.search" = ["slash", "f3"]`` for one part of the console only; the scopes are those of the registry.
"""

from collections.abc import Iterator, Mapping

from textual.keys import Keys, key_to_character

from transcoder_tui.client.sanitise import sanitise
from transcoder_tui.console.actions import ACTIONS, Action, Scope, scopes_of, shown_key

Keymap = dict[str, tuple[str, ...]]
"""Keys by the ``binding_id`` of their action."""

_MODIFIERS = ("ctrl+", "alt+", "shift+")
_NAMES = {key.value for key in Keys}
_NAMES |= {name for action in ACTIONS for name in action.keys}


def own_keys(written: Mapping[str, tuple[str, ...]]) -> tuple[Keymap, list[str]]:
    """The keys that the user wrote, as far as they can be used.

    Args:
        written: His keys by the name of their action, in the order in which he wrote them.

    Returns:
        The keymap, and why something of it is not used, in words.
    """
    faults: list[str] = []
    wanted: dict[str, tuple[list[Action], tuple[str, ...]]] = {}
    for name, keys in written.items():
        actions = [action for action in ACTIONS if name in (action.name, action.binding_id)]
        if fault := _fault(name, actions, keys):
            faults.append(fault)
        else:
            wanted[name] = (actions, tuple(map(_named, keys)))
    # Together, because two actions may change places; without those that clash, until none does.
    while clash := next(_clashes(wanted), None):
        name, words = clash
        del wanted[name]
        faults.append(words)
    keymap = {action.binding_id: keys for actions, keys in wanted.values() for action in actions}
    return keymap, [sanitise(f"{fault}; its own key holds.") for fault in faults]


def _fault(name: str, actions: list[Action], keys: tuple[str, ...]) -> str:
    if not actions:
        from difflib import get_close_matches

        near = get_close_matches(name, [action.name for action in ACTIONS], 1)
        return f"keys.{name}: there is no action {name!r}" + (f", did you mean {near[0]}?" if near else "")
    unknown = next((key for key in keys if not _exists(_named(key))), None)
    if unknown is not None:
        return f"keys.{name}: there is no key {unknown!r}; write one such as w, W, f3, ctrl+n, slash"
    if any(action.scope in ("form", "channel_form") for action in actions) and any(len(key) == 1 for key in keys):
        return f"keys.{name}: in the form a letter is text; write one such as f3 or ctrl+n"
    return ""


def _named(key: str) -> str:
    """A key as Textual calls it: ``question_mark`` for ``?``."""
    from textual.keys import _character_to_key

    stripped = key.strip()
    return _character_to_key(stripped) if len(stripped) == 1 else stripped


def _exists(key: str) -> bool:
    bare = key
    for modifier in _MODIFIERS:
        bare = bare.removeprefix(modifier)
    return bare in _NAMES or key_to_character(bare) is not None


def _clashes(wanted: Mapping[str, tuple[list[Action], tuple[str, ...]]]) -> Iterator[tuple[str, str]]:
    """What was written later goes first."""
    own = {action.binding_id: keys for actions, keys in wanted.values() for action in actions}
    for name, (actions, keys) in reversed(list(wanted.items())):
        for action in actions:
            for other in ACTIONS:
                if other.name == action.name or not _meet(action.scope, other.scope):
                    continue
                taken = set(keys).intersection(own.get(other.binding_id, other.keys))
                if taken:
                    key = shown_key(min(taken))
                    yield name, f"keys.{name}: {key} is the key of {other.name} ({other.help})"


def _meet(one: Scope, other: Scope) -> bool:
    """Whether keys of two scopes are valid in one screen."""
    screens = {action.scope for action in ACTIONS}
    return any({one, other} <= set(scopes_of(screen)) for screen in screens)
