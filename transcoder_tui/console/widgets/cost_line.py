"""What the channel in a form will cost."""

from textual.content import Content
from textual.widgets import Static

from transcoder_tui.models.capacity import Cost


class CostLine(Static):
    """Says what a channel costs, whether the machine has it left, and what will not reach real time."""

    def on_mount(self) -> None:
        """Says nothing until somebody knows."""
        self.show(None)

    def show(self, cost: Cost | None) -> None:
        """Draws the line; it goes where nothing is known."""
        self.display = cost is not None
        if cost is None:
            return
        slow = [f"✖ slower than real time: {reason}" for reason in cost.slow]
        self.set_class(bool(slow), "-slow")
        self.set_class(cost.is_too_much, "-too-much")
        words = [*([f"Costs {cost.words}"] if cost.words else []), *slow, *cost.notes]
        text = "; ".join(words)
        self.update(Content(text[:1].upper() + text[1:]))
