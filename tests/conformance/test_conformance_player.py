"""A ladder on air, played by hls.js in Chromium, which changes rungs up and down."""

from collections.abc import Callable
from pathlib import Path

import pytest
from browser import hls_js, played
from conformance_cases import SIZES, Case, renditions
from conformance_figures import PLAYER_ERRORS, RUNGS_NOT_PLAYED, Reading, Row, worst
from conformance_rig import Rig, tool_path, until
from feeds import FEEDS

from transcoder_tui.models.channel import ChannelSpec

ANNOYING = ("fatal", "bufferStalledError", "bufferAppendError", "fragParsingError", "levelParsingError")
"""What a viewer would notice, of that which hls.js reports."""


@pytest.fixture(scope="session")
def script() -> Path:
    """hls.js, kept outside of the tree."""
    tool_path("chromium")
    return hls_js(Path.home() / ".cache" / "transcoder-tui-conformance")


@pytest.mark.timeout(200)
@pytest.mark.parametrize("segments", ["ts", "fmp4", "aes-128"])
def test_a_player_changes_rungs(segments: str, rig: Rig, script: Path, write_row: Callable[[Row], None]) -> None:
    case = Case("file", "h264+aac", (f"hls {segments}",), rungs=3)
    kind = {"ts": {}, "fmp4": {"format": "fmp4"}, "aes-128": {"encryption": "aes-128"}}[segments]
    spec = ChannelSpec.model_validate(
        {
            "name": "Played",
            "sources": [FEEDS["file"](rig)],
            "renditions": renditions(case),
            "outputs": [{"url": "hls://ladder", "segment": "1s", "window": 60, **kind}],
        }
    )
    first = rig.host.hls_root / "ladder" / "270p" / "index.m3u8"

    with rig.channel(spec):
        until(lambda: first.exists() and first.read_text().count("#EXTINF") >= 4, "four segments")
        seen = played(rig, script, timeout_s=90)

    errors = [error for error in seen["errors"] if any(word in error for word in ANNOYING)]
    wanted = [f"{width}x{height}" for width, height, _ in SIZES]
    missed = sum(size not in seen["rungs"] for size in wanted)
    row = Row(
        f"{case.name} > hls.js",
        rig.binary.release,
        worst([Reading(PLAYER_ERRORS, len(errors)), Reading(RUNGS_NOT_PLAYED, missed)]),
    )
    write_row(row)
    assert row.faults == [], (errors, seen)
    assert len(seen["rungs"]) == 2 * len(SIZES) - 1, "up and down again"
    assert seen["frames"] > 25 * len(seen["rungs"])
