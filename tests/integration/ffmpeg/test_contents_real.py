"""CODECS and RESOLUTION in the master playlists of real FFmpegs, those of 5.1 too, which leaves some of them out."""

from collections.abc import Callable
from typing import Any

import m3u8
import pytest

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.codecs import content_of_header
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.ffmpeg.outputs import hls_trees
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.worker.masters import Masters

COPIED = {"codec": "copy", "bitrate": "1M"}
SMALL = {"size": "160x90", "bitrate": "150k", "preset": "ultrafast", "gop": "1s"}
FMP4 = {"url": "hls://a", "format": "fmp4", "segment": "1s"}
LADDERS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], list[str]]] = {
    # output, picture, sound, and what the names begin with
    "av1 and opus": (FMP4, {**SMALL, "codec": "av1"}, {"codec": "opus"}, ["av01.0.", "opus"]),
    "hevc of 10 bits": (FMP4, {**SMALL, "codec": "hevc", "bit_depth": 10}, {"codec": "eac3"}, ["hvc1.2.4.L", "ec-3"]),
    "dash": ({"url": "dash://a", "segment": "1s"}, {**SMALL, "codec": "av1"}, {"codec": "ac3"}, ["av01.", "ac-3"]),
    "a copy in fmp4": (FMP4, COPIED, {}, ["avc1.42c00b", "mp4a.40.2"]),
    "a copy in packets": ({"url": "hls://a", "segment": "1s"}, COPIED, {"codec": "ac3"}, ["avc1.42c00b", "ac-3"]),
}


@pytest.mark.long
@pytest.mark.parametrize("name", LADDERS)
def test_the_master_playlist_names_the_codecs(
    name: str, binary: Binary, host: HostFacts, start: Any, helper: Any, free_port: Any, eventually: Callable[..., None]
) -> None:
    output, picture, sound, expected = LADDERS[name]
    port = free_port()
    made = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi", "-i", "sine=r=48000")
    encoded = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac")
    helper("-re", *made, *encoded, "-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316")
    spec = ChannelSpec.model_validate(
        {
            "name": "News",
            "sources": [{"url": f"udp://127.0.0.1:{port}"}],
            "renditions": [{"name": "only", "video": picture, "audio": sound}],
            # Beside another output, as tee hands on less than a plain output knows.
            "outputs": [output, {"url": "file://beside.mkv"}],
        }
    )
    (tree,) = hls_trees(spec, host)
    masters = Masters()

    def codecs() -> list[str]:
        masters.correct(tree)
        lines = tree.master.read_text() if tree.master.exists() else ""
        return [str(one.stream_info.codecs) for one in m3u8.loads(lines).playlists]

    start(spec)
    eventually(lambda: codecs() not in ([], ["None"]))

    (variant,) = m3u8.load(str(tree.master)).playlists
    names = variant.stream_info.codecs.split(",")
    assert len(names) == len(expected)
    assert all(said.lower().startswith(begin.lower()) for said, begin in zip(names, expected, strict=True)), names
    assert variant.stream_info.resolution == (160, 90)
    for header in (path.read_bytes() for path in tree.directory.rglob("init*")):
        whole = content_of_header(header)
        assert whole is not None
        halves = [content_of_header(header[:length]) for length in range(len(header))]
        assert halves[:100] == [None] * 100
        assert set(halves) <= {None, whole}, "FFmpeg may be writing it"
