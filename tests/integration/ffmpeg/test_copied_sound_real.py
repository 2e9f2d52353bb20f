"""Sound that is copied from a transport stream, into every container at once."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.ffmpeg.outputs import hls_trees
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.worker import outputs
from transcoder_tui.worker.resolution import resolved

BESIDE = [
    {"url": "hls://fmp4", "segment": "1s", "format": "fmp4"},
    {"url": "file://kept.mp4"},
    {"url": "file://series.mp4", "split": "1h"},
    {"url": "dash://plain", "segment": "1s"},
    {"url": "hls://ts", "segment": "1s"},
    {"url": "file://kept.mkv"},
]


@pytest.fixture
def clip(binary: Binary, host: HostFacts) -> Callable[..., str]:
    """Makes a transport stream with a sound in each of some codecs; gives its address."""

    def make(*codecs: str) -> str:
        file = host.media_roots[0] / "clip.ts"
        file.parent.mkdir()
        lavfi = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi", "-i", "sine=r=48000"]
        sounds = [part for n, codec in enumerate(codecs) for part in ("-map", "1", f"-c:a:{n}", codec)]
        encoded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-b:a", "64k", "-t", "4"]
        argv = [str(binary.path), "-loglevel", "error", *lavfi, "-map", "0", *sounds, *encoded, str(file)]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
        return "file://clip.ts"

    return make


def channel(url: str, tracks: int, *outputs: dict[str, Any]) -> ChannelSpec:
    picture = {"size": "160x90", "bitrate": "150k", "preset": "ultrafast", "gop": "1s"}
    return ChannelSpec.model_validate(
        {
            "name": "Copied",
            "sources": [{"url": url, "audio": ", ".join(f"#{n + 1}" for n in range(tracks))}],
            "renditions": [{"name": "only", "video": picture, "audio": {"codec": "copy", "bitrate": "64k"}}],
            "outputs": outputs,
        }
    )


def sounds(ffprobe: Callable[..., Any], *paths: Path) -> list[str]:
    """The codecs of the sounds in each of some files, all of which hold packets."""
    found = []
    for path in paths:
        streams = ffprobe(path, "-show_streams", "-select_streams", "a", "-count_packets")["streams"]
        assert all(int(stream["nb_read_packets"]) > 0 for stream in streams), path
        found.append(" ".join(stream["codec_name"] for stream in streams))
    return found


async def test_aac_and_ac3_go_into_every_container_beside_udp(
    binary: Binary, host: HostFacts, clip: Any, start: Any, receive: Any, ffprobe: Any, eventually: Any, tmp_path: Path
) -> None:
    receiver, port = receive()
    spec = channel(clip("aac", "ac3"), 2, {"url": f"udp://127.0.0.1:{port}"}, *BESIDE)
    found = await resolved(spec, 0, binary, host)
    assert found.codecs == ("aac", "ac3")

    run = start(found.spec, found.codecs)
    trees = hls_trees(spec, host)
    lists = [playlist for tree in trees for playlist in tree.playlists]
    eventually(lambda: all(path.exists() and path.read_text().count("#EXTINF") > 2 for path in lists))
    run.stop()
    outputs.finalise(spec, host)

    assert "Malformed" not in run.log
    sent, media = tmp_path / "sent.ts", host.media_roots[0]
    sent.write_bytes(receiver.data)
    (series,) = media.glob("series-*.mp4")
    files = (sent, media / "kept.mp4", series, media / "kept.mkv")
    assert sounds(ffprobe, *files) == ["aac ac3"] * len(files)
    for tree in trees:
        # One playlist for each sound.
        assert sounds(ffprobe, *tree.tracks) == ["aac", "ac3"], tree.directory


@pytest.mark.long
@pytest.mark.parametrize("output", BESIDE[:2], ids=["fMP4 HLS", "MP4"])
async def test_aac_goes_into_mp4_alone(
    binary: Binary, host: HostFacts, clip: Any, start: Any, ffprobe: Any, eventually: Any, output: dict[str, Any]
) -> None:
    spec = channel(clip("aac"), 1, output)
    found = await resolved(spec, 0, binary, host)

    run = start(found.spec, found.codecs)
    eventually(lambda: run.media_time > 3)
    run.stop()
    outputs.finalise(spec, host)

    assert run.complaints == []
    (written,) = [*(tree.playlists[0] for tree in hls_trees(spec, host)), *host.media_roots[0].glob("kept.mp4")]
    assert sounds(ffprobe, written) == ["aac"]
