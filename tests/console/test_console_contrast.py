"""Whether everything that is written can be read, in every theme: WCAG 2.2, success criterion 1.4.3 (AA)."""

from collections.abc import Iterator

import pytest
from pilots import screen_lines, screen_text, settled, until
from rack_fixtures import Clock, FakeClient
from rich.color import Color
from rich.style import Style
from test_console_pictures import rack_that_is_not_well
from textual.pilot import Pilot
from textual.screen import ModalScreen

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.theme import THEMES

LEAST_TEXT = 4.5
LEAST_GRAPHICS = 3.0
"""Of parts of pictures, by 1.4.11: sparklines, bars, frames."""
GRAPHICS = (0x2500, 0x28FF)
"""Code points of frames, blocks, shapes and braille."""


def luminance(color: Color) -> float:
    """Relative luminance by WCAG."""
    parts = [part / 255 for part in color.get_truecolor()]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(style: Style) -> float:
    """Contrast of text in a style, from 1 to 21."""
    assert style.color is not None
    assert style.bgcolor is not None
    levels = sorted((luminance(style.color), luminance(style.bgcolor)))
    return (levels[1] + 0.05) / (levels[0] + 0.05)


def hard_to_read(pilot: Pilot[str]) -> Iterator[tuple[str, float]]:
    """Each piece of the screen whose contrast is too low, with its contrast; what lies dimmed below a dialog is out."""
    screen = pilot.app.screen
    part = screen.query_one(".dialog").region if isinstance(screen, ModalScreen) else screen.region
    for strip in screen._compositor.render_strips()[part.y : part.bottom]:
        for segment in strip.crop(part.x, part.right):
            text = segment.text.strip()
            if not text or segment.style is None or segment.style.color is None:
                continue
            is_drawn = all(GRAPHICS[0] <= ord(character) <= GRAPHICS[1] or character == " " for character in text)
            found = contrast(segment.style)
            if found < (LEAST_GRAPHICS if is_drawn else LEAST_TEXT):
                yield text, round(found, 2)


STEPS = {
    "channels": "space down",
    "filter": "slash r e",
    "log": "escape escape l",
    "log with hits": "slash c o r r u p t enter",
    "command line": "escape escape escape colon s t a",
    "channel": "escape 2",
    "events": "3",
    "system": "4",
    "ladders": "5",
    "settings": "6",
    "help": "1 question_mark",
    "confirm": "escape asterisk x",
    "command": "n escape y",
    "form": "escape plus",
    "form with faults": "ctrl+s",
    "orders for many": "escape asterisk s y",
}
"""What is looked at, with the keys that lead there from the one before."""


@pytest.mark.parametrize("theme", THEMES)
async def test_everything_that_is_written_can_be_read(theme: str) -> None:
    low: dict[str, list[tuple[str, float]]] = {}
    seen = set()
    app = ConsoleApp(rack_that_is_not_well, clock=Clock())
    async with app.run_test(size=(120, 40)) as pilot:
        app.theme = theme
        await settled(pilot)
        for state, keys in STEPS.items():
            await pilot.press(*keys.split())
            seen.add(screen_text(pilot))
            if found := sorted(set(hard_to_read(pilot))):
                low[state] = found
    assert not low, "\n".join(f"{state}: {found}" for state, found in low.items())
    assert len(seen) == len(STEPS)


async def test_what_is_out_of_date_can_be_read_as_well(client: FakeClient) -> None:
    app = ConsoleApp(lambda: client, clock=Clock())
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        client.vanish()
        await until(pilot, lambda: "does not answer" in screen_lines(pilot)[0])
        assert list(hard_to_read(pilot)) == []
