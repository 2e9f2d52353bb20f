"""Subtitles of a ladder on air, shown by hls.js in Chromium together with the picture that they belong to."""

import subprocess
from pathlib import Path

import pytest
from browser import hls_js, played
from conformance_rig import Rig, tool_path, until

from transcoder_tui.ffmpeg.texts import can_read_texts
from transcoder_tui.models.channel import ChannelSpec

PAGE = Path(__file__).with_name("subtitles.html")
CUE = "1\n00:00:02,000 --> 00:00:04,000\nlight on\n"
WHITE = "drawbox=c=white:t=fill:enable='between(t,1.99,3.97)'"
"""The picture is white while the cue is shown."""


@pytest.mark.timeout(200)
@pytest.mark.parametrize("form", ["ts", "fmp4"])
def test_a_player_shows_subtitles_with_their_picture(form: str, rig: Rig) -> None:
    tool_path("chromium")
    script = hls_js(Path.home() / ".cache" / "transcoder-tui-conformance")
    source = {"url": "file://subtitled.mkv", "subtitles": "all"}
    picture = {"size": "160x90", "bitrate": "150k", "preset": "veryfast", "gop": "1s"}
    spec = ChannelSpec.model_validate(
        {
            "name": "Subtitled",
            "sources": [source],
            "renditions": [{"name": "only", "video": picture, "audio": {"bitrate": "64k", "channels": 1}}],
            "outputs": [{"url": "hls://ladder", "segment": "1s", "window": 60, "format": form}],
        }
    )
    if not can_read_texts(spec.sources[0], rig.binary):
        pytest.skip("this FFmpeg loses the pace of a file of which it reads subtitles")
    cues = rig.directory / "cues.srt"
    cues.write_text(CUE)
    black = f"color=black:s=160x90:r=25:d=6,{WHITE}"
    subprocess.run(
        [
            *(rig.binary.path, "-v", "error", "-f", "lavfi", "-i", black, "-f", "lavfi", "-i", "sine=d=6", "-i", cues),
            *("-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
            *("-c:s", "srt", "-metadata:s:s:0", "language=eng", rig.host.media_roots[0] / "subtitled.mkv"),
        ],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    master = rig.host.hls_root / "ladder" / "master.m3u8"

    with rig.channel(spec):
        until(lambda: master.exists() and "SUBTITLES" in master.read_text(), "subtitles")
        seen = played(rig, script, 90, PAGE)

    assert seen["tracks"] == ["eng"], seen
    assert seen["shown"] == ["light on"], seen
    assert seen["differed"] == 0, seen
    assert seen["agreed"] > 50
    assert not [error for error in seen["errors"] if "fatal" in error or "subtitle" in error.lower()]
