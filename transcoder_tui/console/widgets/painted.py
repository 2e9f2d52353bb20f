"""What widgets share that draw their lines themselves."""

from functools import cached_property

from rich.style import Style
from textual.color import Color
from textual.widget import Widget


class Painted(Widget):
    """Keeps the style of its background, which Textual works out anew at each call, 0.3 ms a line."""

    _base: Style | None = None

    @cached_property
    def _tones(self) -> dict[tuple[Style, str], Style]:
        return {}

    @property
    def base(self) -> Style:
        """The style on which everything is drawn."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def notify_style_update(self) -> None:
        """Forgets it when the stylesheet, the theme or the focus changes it."""
        self._base = None
        self._tones.clear()
        super().notify_style_update()

    def tone(self, name: str) -> Style:
        """The style of a component class on the background.

        Args:
            name: The class without the widget's own prefix, which is its CSS type in kebab case.
        """
        return self.over(self.base, name)

    def over(self, ground: Style, name: str) -> Style:
        """The style of a component class on another one.

        Textual drops the alpha of a component's colour: it is mixed into the ground here.
        """
        component = f"{self.PREFIX}--{name}"
        key = (ground, component)
        style = self._tones.get(key)
        if style is None:
            style = ground + self.get_component_rich_style(component, partial=True)
            color = self.get_component_styles(component).color
            if color.a < 1 and style.bgcolor is not None and not style.bgcolor.is_default:
                style += Style(color=(Color.from_rich_color(style.bgcolor) + color).rich_color)
            self._tones[key] = style
        return style

    PREFIX = ""
    """What this widget's component classes begin with."""
