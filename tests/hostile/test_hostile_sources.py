"""Sources that try to make FFmpeg read what lies outside the media roots: playlists, redirections, disguised files."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hostile_rig import roots, serving, spec, watched

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts, build_command

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None
    or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode != 0,
    reason="there is no strace, or it may trace nothing",
)


@dataclass
class Place:
    """A machine with a secret that is media itself, so that FFmpeg would gladly show it."""

    host: HostFacts
    directory: Path

    @property
    def canary(self) -> Path:
        return self.directory / "outside" / "secret.ts"


@pytest.fixture
def place(tmp_path: Path, binary: Binary) -> Place:
    found = Place(roots(tmp_path), tmp_path)
    (tmp_path / "hls" / "hostile" / "90p").mkdir(parents=True)
    generated = ["-f", "lavfi", "-i", "testsrc2=size=160x90", "-f", "lavfi", "-i", "sine", "-t", "1"]
    encoded = ["-preset", "ultrafast", "-f", "mpegts", str(found.canary)]
    subprocess.run([binary.path, "-loglevel", "error", *generated, *encoded], check=True)
    return found


def disguises(canary: Path) -> dict[str, bytes]:
    """Texts that FFmpeg's demuxers know by their beginning, and that name files."""
    return {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{canary}\n#EXT-X-ENDLIST\n".encode(),
        "concat": f"ffconcat version 1.0\nfile '{canary}'\n".encode(),
        "nested": b"ffconcat version 1.0\nfile '../outside/secret.ts'\n",
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 33\n",
        "dash": f'<?xml version="1.0"?><MPD type="static" mediaPresentationDuration="PT1S"><Period><AdaptationSet>'
        f'<Representation id="0" bandwidth="1"><BaseURL>{canary}</BaseURL><SegmentBase indexRange="0-1"/>'
        f"</Representation></AdaptationSet></Period></MPD>".encode(),
        "imf": f"<?xml version='1.0'?><AssetMap><Path>{canary}</Path></AssetMap>".encode(),
    }


def tricks(canary: Path) -> list[str]:
    """Addresses that a playlist of a hostile server may name."""
    return [
        f"file://{canary}",
        f"file:{canary}",
        str(canary),
        f"concat:{canary}|{canary}",
        f"subfile,,start,0,end,0,,:{canary}",
        f"crypto:{canary}",
        f"crypto+file://{canary}",
        f"async:{canary}",
        f"cache:{canary}",
        f"md5:{canary}",
        "fd:0",
        "pipe:0",
        "../../../../../../../../../../etc/passwd",
        "ftp://127.0.0.1:9/x",
        "gopher://127.0.0.1:9/x",
    ]


def run(place: Place, binary: Binary, **source: Any) -> set[str]:
    """The files that a channel with this source opens and should not."""
    command = build_command(spec(sources=[source]), binary, place.host)
    seen = watched(command.argv, command.env, place.directory)
    assert seen.read, "nothing was traced"
    return seen.strange([place.host.media_roots[0], place.host.hls_root, binary.path.parent])


def test_a_playlist_of_a_hostile_server_leads_to_no_file(place: Place, binary: Binary) -> None:
    entries = "".join(f"#EXTINF:1,\n{trick}\n" for trick in tricks(place.canary))
    keyed = (
        f'#EXT-X-KEY:METHOD=AES-128,URI="file://{place.canary}"\n#EXT-X-MAP:URI="{place.canary}"\n#EXTINF:1,\na.ts\n'
    )
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n"
    pages = {
        "/all.m3u8": f"{head}{entries}{keyed}#EXT-X-ENDLIST\n".encode(),
        "/a.ts": place.canary.read_bytes(),
        "/master.m3u8": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile://{place.canary}\n".encode(),
    }
    with serving(pages, {}) as server:
        assert run(place, binary, url=f"{server}/all.m3u8") == set()
        assert run(place, binary, url=f"{server}/master.m3u8") == set()


@pytest.mark.parametrize(("name", "scheme"), [("stream.ts", "concat:"), ("live.m3u8", "file://")])
def test_a_redirection_leads_to_no_file(place: Place, binary: Binary, name: str, scheme: str) -> None:
    with serving({}, {f"/{name}": f"{scheme}{place.canary}"}) as server:
        assert run(place, binary, url=f"{server}/{name}") == set()


@pytest.mark.parametrize("kind", ["hls", "concat"])
def test_a_stream_that_is_a_playlist_in_disguise_is_not_followed(place: Place, binary: Binary, kind: str) -> None:
    with serving({"/live.ts": disguises(place.canary)[kind]}, {}, once=True) as server:
        assert run(place, binary, url=f"{server}/live.ts") == set()


def test_a_file_that_is_a_playlist_in_disguise_is_not_followed(place: Place, binary: Binary) -> None:
    for kind, text in disguises(place.canary).items():
        (place.host.media_roots[0] / "evil.ts").write_bytes(text)
        assert run(place, binary, url="file://evil.ts") == set(), kind
    for kind in ("hls", "concat", "nested"):
        (place.host.media_roots[0] / "evil.ts").write_bytes(disguises(place.canary)[kind])
        assert run(place, binary, url="file://evil.ts", playlist="file://evil.ts") == set(), kind


def test_what_is_tried_here_works_where_nothing_stands_against_it(place: Place, binary: Binary) -> None:
    """Else the tests above would prove nothing."""
    evil = place.host.media_roots[0] / "evil.m3u8"
    evil.write_bytes(disguises(place.canary)["hls"])
    open_to_all = [str(binary.path), "-i", f"file:{evil}", "-f", "null", "-"]
    seen = watched(open_to_all, {"PATH": "/usr/bin"}, place.directory)
    assert seen.strange([place.host.media_roots[0], binary.path.parent]) == {str(place.canary)}


def test_a_logo_that_is_a_playlist_in_disguise_is_not_followed(place: Place, binary: Binary) -> None:
    (place.host.media_roots[0] / "logo.png").write_bytes(disguises(place.canary)["hls"])
    command = build_command(spec(overlay={"logo": "file://logo.png"}), binary, place.host)
    seen = watched(command.argv, command.env, place.directory)
    assert seen.exit_code != 0
    assert seen.strange([place.host.media_roots[0], place.host.hls_root, binary.path.parent]) == set()
