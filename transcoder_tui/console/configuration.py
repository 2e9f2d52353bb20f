"""Changes of the whole configuration: undoing the last one, line-up files written and read."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transcoder_tui.client.lineup_file import (
    content_of,
    lineup_in,
    lineup_of,
    with_ladders,
    with_name,
    with_names,
    write_lineup,
)
from transcoder_tui.console import format as written
from transcoder_tui.console.edge import Edge
from transcoder_tui.console.orders import Question, named
from transcoder_tui.console.reviews import importing, undoing, warned
from transcoder_tui.console.sanitise import clean, sanitised_error
from transcoder_tui.console.screens.confirm import ConfirmScreen
from transcoder_tui.console.screens.review import Review, ReviewScreen
from transcoder_tui.errors import Fault, InvalidInput, TranscoderError
from transcoder_tui.models.ladder import names_ladders
from transcoder_tui.models.lineup import ChangeKind

if TYPE_CHECKING:
    from transcoder_tui.console.app import ConsoleApp
    from transcoder_tui.models.lineup import Applied
    from transcoder_tui.models.view import ChannelView

_DONE = {ChangeKind.CREATE: "created", ChangeKind.CHANGE: "changed", ChangeKind.KEEP: "unchanged"}


class Configuration:
    """Asks the operator, carries it out, and says how it ended.

    Args:
        app: The console.
        edge: The worker.
    """

    def __init__(self, app: "ConsoleApp", edge: Edge) -> None:
        self._app = app
        self._edge = edge

    async def undo(self) -> None:
        """Takes the last change back, after showing what that does.

        Raises:
            TranscoderError: Where the worker refuses it, because another change is the last one by now.
        """
        last = await self._edge.undoable()
        if last is None:
            self._tell("There is no change that could be undone.")
            return
        if await self._ask(undoing(last, self._app.rack.at)) != "undo":
            return
        undone = await self._edge.undo(last.event)
        self._tell(f"Undone: {named([change.channel for change in undone.changes])}")
        self._warn("The change is undone", undone.warnings)

    # Line-up files

    async def export(self, channels: "list[ChannelView]", path: str) -> None:
        """Writes channels as a line-up file that only its owner can read: it holds stream keys.

        Args:
            channels: Which; none is all.
            path: Where to; a ``~`` is the home directory.

        Raises:
            TranscoderError: Where it cannot be written.
        """
        file = Path(path).expanduser()
        if await asyncio.to_thread(file.exists):
            body = "It is there already, and is lost then."
            if not await self._app.push_screen_wait(ConfirmScreen(Question(f"Overwrite {file}?", body, "Overwrite"))):
                return
        chosen = {row.id for row in channels}
        documents = await self._edge.channels()
        specs = [document.spec for document in documents if not chosen or document.id in chosen]
        await asyncio.to_thread(write_lineup, file, lineup_of(specs))
        count = written.plural(len(specs), "channel")
        self._tell(f"{count} written to {file}, readable for you only: stream keys are in it.")

    async def import_(self, path: str, title: str = "") -> None:
        """Applies a line-up file, after showing what it changes.

        Args:
            path: Its path; a ``~`` is the home directory.
            title: What to ask; without it, whether to import the file.

        Raises:
            TranscoderError: With everything that is wrong with it.
        """
        file = Path(path).expanduser()
        document = await self._read(file)
        try:
            planned = await self._edge.apply(document, dry_run=True)
            if all(change.kind is ChangeKind.KEEP for change in planned.changes):
                self._tell(f"Nothing to change: the channels are as {clean(file.name)} has them.")
                return
            channels = document.get("channels")
            warnings = [with_name(warning, channels) for warning in planned.warnings]
            if await self._ask(importing(title or f"Import {clean(file.name)}?", planned, warnings)) != "import":
                return
            applied = await self._edge.apply(document)
        except InvalidInput as error:
            raise sanitised_error(with_names(error, document)) from None
        self._tell(f"{clean(file.name)}: {_counted(applied)}")

    async def _read(self, file: Path) -> dict[str, Any]:
        if not await asyncio.to_thread(file.is_file):
            raise InvalidInput("there is no such file", "name a line-up file", clean(str(file)))
        try:
            data = await asyncio.to_thread(content_of, file)
            document = await asyncio.to_thread(lineup_in, data, file.name)
            if names_ladders(document):
                document = with_ladders(document, await self._edge.ladders())
        except TranscoderError as error:
            raise sanitised_error(error) from None
        return document

    # The operator

    async def _ask(self, review: Review) -> str:
        return await self._app.push_screen_wait(ReviewScreen(review)) or ""

    def _tell(self, words: str) -> None:
        self._app.notify(words, markup=False)

    def _warn(self, what: str, warnings: list[Fault]) -> None:
        if warnings:
            self._app.push_screen(ReviewScreen(warned(what, warnings)))


def _counted(applied: "Applied") -> str:
    """``2 created, 1 changed, 3 unchanged``."""
    counts = Counter(change.kind for change in applied.changes)
    return ", ".join(f"{counts[kind]} {word}" for kind, word in _DONE.items() if counts[kind])
