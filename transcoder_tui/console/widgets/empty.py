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
    if not read_only:
        words += [Content.assemble("Press ", ("+", "bold $accent"), " to create the first one here,"), Content("or")]
    words += [
        Content("apply a line-up file from the shell:"),
        Content(""),
        Content.styled("transcoder-tui apply line-up.yaml", "$primary"),
    ]
    return words
