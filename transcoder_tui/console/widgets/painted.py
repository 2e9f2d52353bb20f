"""What widgets share that draw their lines themselves."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from rich.style import Style
from textual._styles_cache import StylesCache
from textual.color import Color
from textual.css.styles import StylesBase
from textual.geometry import Region, Size, Spacing
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

SHADES = 8
"""Parts of a cell that a scrollbar can show."""


class _Lines(StylesCache):
    """The lines of a widget as it draws them.

    What Textual does around every line, with borders, opacities and text that can be selected, takes longer than most
    of them take to draw; it is left out where there is nothing around them.
    """

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """Some lines; blank ones where the widget has just left the screen, and its styles with it."""
        if widget.parent is None:
            return [Strip.blank(crop.width)] * crop.height
        return super().render_widget(widget, crop)

    def render_line(
        self,
        styles: StylesBase,
        y: int,
        size: Size,
        content_size: Size,
        padding: Spacing,
        base_background: Color,
        background: Color,
        render_content_line: Callable[[int], Strip],
        *others: Any,
    ) -> Strip:
        """One line."""
        if styles.gutter:
            return super().render_line(
                styles,
                y,
                size,
                content_size,
                padding,
                base_background,
                background,
                render_content_line,
                *others,
            )
        return render_content_line(y)


class Painted(Widget):
    """Keeps the style of its background, which Textual works out anew at each call, 0.3 ms a line."""

    _base: Style | None = None

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._styles_cache = _Lines()

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


class PaintedScroll(Painted, ScrollView, inherit_bindings=False):
    """One that scrolls over more lines than it has.

    How many there are says nothing about its place on the screen, as it does with other widgets: there each change
    means a new layout, which draws the whole screen anew.
    """

    virtual_size = Reactive(Size(0, 0))

    def watch_virtual_size(self, size: Size) -> None:
        """Gives the scrollbar its size."""
        self._scroll_update(size)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draws the lines that come into view, and the scrollbar where it moves by as much as it can show."""
        step = max(1.0, self.virtual_size.height / max(1, SHADES * self.size.height))
        if round(old_value / step) != round(new_value / step) or new_value in (0.0, self.max_scroll_y):
            super().watch_scroll_y(old_value, new_value)
        elif round(old_value) != round(new_value):
            self.refresh(self.size.region)
