"""Takes keys in the order in which they were pressed."""

import asyncio
from contextlib import suppress
from typing import TypeVar

from textual.app import App
from textual.events import Event, Key
from textual.widgets import Input

Result = TypeVar("Result")

PATIENCE_S = 0.5
"""Longest wait for a field to take its letters in; it does within a millisecond, unless it is just being removed."""


class KeysInOrder(App[Result]):
    """Looks up what a key is bound to before the next key is looked at.

    Textual gives a letter to the field that has the focus at once. Any other key goes through all that lies around the
    field first, and what it is bound to is looked up at the end of that way: in a burst, as a slow line delivers it,
    the letters behind a tab came before it and into the wrong field, and those behind an arrow to the wrong place.
    """

    async def on_event(self, event: Event) -> None:
        """Carries out a key that is bound; all else goes its usual way."""
        if isinstance(event, Key) and not event.is_forwarded and not self._is_typed(event):
            await self._take_letters_in()
            for priority in (True, False):
                if await self._check_bindings(event.key, priority=priority):
                    return
        await super().on_event(event)

    def _is_typed(self, key: Key) -> bool:
        return key.is_printable and isinstance(self.focused, Input)

    async def _take_letters_in(self) -> None:
        """Waits until the field has worked off the letters before."""
        field = self.focused
        done = asyncio.Event()
        if isinstance(field, Input) and field.call_later(done.set):
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), PATIENCE_S)
