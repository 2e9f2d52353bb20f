"""What tests of hostile channels share."""

import shutil
from pathlib import Path

import pytest

from transcoder_tui.ffmpeg.binary import Binary, carried, inspect_binary


@pytest.fixture(scope="session", params=["host", "carried"])
def binary(request: pytest.FixtureRequest) -> Binary:
    """Every FFmpeg that is there."""
    if request.param == "carried":
        return inspect_binary(carried(), "carried")
    found = shutil.which("ffmpeg")
    if found is None:
        pytest.skip("this host has no ffmpeg")
    return inspect_binary(Path(found), "PATH")
