"""The pictures in README.md are up to date, and show what they are for wherever they are shown."""

import re
from html import unescape

import pytest
from picture import PICTURES, SCENES, draw


def words(svg: str) -> list[str]:
    return [unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


QUICK = {"channels", "channel", "system", "ladders"}
"""What is compared each time; the others are with the long tests."""


@pytest.mark.parametrize(
    "scene", [scene if scene in QUICK else pytest.param(scene, marks=pytest.mark.long) for scene in SCENES]
)
async def test_a_picture_is_as_the_console_draws_it_and_needs_nothing_from_elsewhere(scene: str) -> None:
    drawn = await draw(scene)
    kept = (PICTURES / f"{scene}.svg").read_text(encoding="utf-8")
    assert words(kept) == words(drawn), "out of date: python tests/console/picture.py"
    assert 'url("http' not in kept
    assert not any(re.search(r"[\s\xa0]", word) for word in words(kept))


def test_every_picture_is_in_the_readme() -> None:
    readme = (PICTURES.parents[1] / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^]]+\]\(data/pictures/([^)]+)\.svg\)", readme)
    assert sorted(shown) == sorted(SCENES)
    assert {path.stem for path in PICTURES.iterdir()} == set(SCENES)
