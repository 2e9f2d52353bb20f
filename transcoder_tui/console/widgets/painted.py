"""What widgets share that draw their lines themselves."""

from rich.style import Style
from textual.color import Color
from textual.widget import Widget


class Painted(Widget):
    """Keeps the style of its background, which Textual works out anew at each call, 0.3 ms a line."""

    _base: Style | None = None

    @property
    def base(self) -> Style:
        """The style on which everything is drawn."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def notify_style_update(self) -> None:
        """Forgets it when the stylesheet, the theme or the focus changes it."""
        self._base = None
        super().notify_style_update()

    def tone(self, name: str) -> Style:
        """The style of a component class on the background.

        Args:
            name: The class without the widget's own prefix, which is its CSS type in kebab case.
        """
        return self.base + self.get_component_rich_style(f"{self.PREFIX}--{name}", partial=True)

    def shade(self, name: str) -> Style:
        """The same with a colour that is partly transparent mixed into its background, where Textual drops its alpha."""
        style = self.tone(name)
        color = self.get_component_styles(f"{self.PREFIX}--{name}").color
        if color.a == 1 or style.bgcolor is None or style.bgcolor.is_default:
            return style
        return style + Style(color=(Color.from_rich_color(style.bgcolor) + color).rich_color)

    PREFIX = ""
    """What this widget's component classes begin with."""
