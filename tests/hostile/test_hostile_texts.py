"""Texts that speak FFmpeg's languages arrive as the texts that they are, and nothing else is opened on the way."""

import subprocess
from pathlib import Path

import pytest
from hostile_rig import roots, spec, watched

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import build_command

NAMES = [
    "A|[f=mpegts]file:evil.ts",
    "B]'[select='v'",
    "C\\:f=null\\",
    "D'quoted' \"twice\" %d %v %{pts}",
    "E;movie=/etc/passwd[x],null",
    "F=service_provider=G -y",
    "Ü ☃ $(id) `id` \\",
]


def services(binary: Binary, path: Path) -> str:
    """What FFmpeg reads of a transport stream."""
    told = [str(binary.path), "-hide_banner", "-i", str(path)]
    return subprocess.run(told, capture_output=True, check=False).stderr.decode(errors="replace")


def picture(binary: Binary, path: Path) -> None:
    """Writes a small logo."""
    told = [str(binary.path), "-loglevel", "error", "-f", "lavfi", "-i", "color=red:s=16x16", "-frames:v", "1"]
    with path.open("wb") as file:
        subprocess.run([*told, "-c:v", "png", "-f", "image2pipe", "-"], check=True, stdout=file)


@pytest.mark.parametrize("name", NAMES)
def test_names_and_texts_arrive_as_they_are(binary: Binary, tmp_path: Path, name: str) -> None:
    host = roots(tmp_path)
    if "drawtext" not in binary.filters or host.font is None:
        pytest.skip("this FFmpeg cannot draw text here")
    media = host.media_roots[0]
    (tmp_path / "hls" / "hostile" / "90p").mkdir(parents=True)
    picture(binary, media / "logo's [a],b;c:d=.png")
    tricky = spec(
        name=name,
        outputs=[{"url": "hls://hostile", "segment": "1s"}, {"url": "file://rec%27s%20%5Ba%5D,b;c:d=.ts"}],
        overlay={"text": name, "clock": "utc", "logo": "file://logo%27s%20%5Ba%5D,b;c:d=.png"},
    )
    command = build_command(tricky, binary, host)
    at = command.argv.index("-metadata")
    seen = watched([*command.argv[:at], "-t", "1", *command.argv[at:]], command.env, tmp_path)
    assert seen.exit_code == 0, seen.log
    assert "[error]" not in seen.log, seen.log
    assert seen.strange([media, host.hls_root, binary.path.parent]) == set()
    assert name in services(binary, media / "rec's [a],b;c:d=.ts")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hls", "media", "outside", "trace"]
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["secret.txt"]
