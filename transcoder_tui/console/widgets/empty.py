"""What stands where the table would be while there is no channel to show."""

from textual.content import Content
from textual.widgets import Static

from transcoder_tui.console.state import Rack


class EmptyState(Static):
    """Says what to do first."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(markup=False, id=id)

    def show(self, rack: Rack, lost: str, *, read_only: bool) -> None:
        """Chooses the words; hides itself where there are channels.

        Args:
            rack: Whose channels there are, or not.
            lost: What would help where the worker does not answer; else empty.
            read_only: Whether the console may create none.
        """
        self.display = not rack.channels
        if self.display:
            self.update(Content("\n").join(_words(rack, lost, read_only)))


def _words(rack: Rack, lost: str, read_only: bool) -> list[Content]:
    if lost:
        return [Content.styled("The worker does not answer", "bold"), Content(""), Content(lost)]
    if rack.worker is None:
        return [Content("Connecting to the worker …")]
    words = [Content.styled("No channels yet", "bold"), Content("")]
    if read_only:
        words.append(Content("This console is read-only: it shows what others create."))
    offered = [(key, what) for key, what, writes in _OFFERED if not (read_only and writes)]
    words += [Content.assemble((f"{key}", "bold $accent"), f"   {what:{_WIDEST}}") for key, what in offered]
    if not read_only:
        apply = ("transcoder-tui apply line-up.yaml", "$primary")
        words += [Content(""), Content.assemble(("or from the shell  ", "$foreground 70%"), apply)]
    return words


_OFFERED = (
    ("+", "create a channel", True),
    ("p", "look into a source, and make a channel of it", False),
    ("I", "import a line-up file", True),
    ("t", "start the demonstration: test pictures, no network needed", True),
)
"""Keys, what they do, and whether it changes something."""
_WIDEST = max(len(what) for _, what, _ in _OFFERED)
