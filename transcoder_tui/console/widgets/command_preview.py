"""The FFmpeg command that a form would give, as it is filled in."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from transcoder_tui.console.command_text import Piece, laid_out
from transcoder_tui.console.widgets.heading import Heading
from transcoder_tui.errors import Fault


class CommandText(Widget):
    """The command, or why there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.argv: Sequence[str] = ()
        self.before: Sequence[str] = ()
        self.words = Content("")

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as it takes at this width."""
        return max(1, len(self._lines(width)))

    def render(self) -> Content:
        """The lines."""
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        lines = [Content.assemble(*map(_styled, line)) for line in laid_out(self.argv, max(8, width), self.before)]
        said = self.words.wrap(max(8, width)) if self.words else []
        return [*said, *lines]


def _styled(piece: Piece) -> tuple[str, str]:
    if piece.new:
        return piece.text, "bold $accent"
    return piece.text, "$primary" if piece.text.startswith("-i ") else "$foreground 85%"


class CommandPreview(Vertical):
    """The command beside a form or below it; what the stored channel's does not have is lit up."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._text = CommandText()
        self._before: Sequence[str] | None = None

    def compose(self) -> ComposeResult:
        """A heading, and the command with a scrollbar where it is long."""
        yield Heading("FFmpeg command")
        with VerticalScroll(can_focus=False):
            yield self._text

    def show(self, argv: Sequence[str]) -> None:
        """Shows another command; the first one is what later ones are compared with."""
        if self._before is None:
            self._before = argv
        changed = self._before != argv
        self._draw(argv, Content(""), "as changed" if changed else "secrets masked")

    def wait(self) -> None:
        """Keeps what is shown, and says that it is older than the form."""
        if self._text.argv:
            self._draw(self._text.argv, Content(""), "as before, until corrected")
        else:
            self._draw((), Content.styled("Shown as soon as the form is complete.", "$foreground 70%"), "")

    def refuse(self, faults: Sequence[Fault]) -> None:
        """Says why there is no command."""
        lines = [Content.assemble(("✖ ", "$error"), f"{fault.fault}; {fault.remedy}".rstrip("; ")) for fault in faults]
        self._draw((), Content("\n").join(lines), "")

    def move(self, lines: int) -> None:
        """Moves through a long command."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def _draw(self, argv: Sequence[str], words: Content, note: str) -> None:
        self._text.argv, self._text.before, self._text.words = argv, self._before or (), words
        self.query_one(Heading).show("", note)
        self._text.refresh(layout=True)
