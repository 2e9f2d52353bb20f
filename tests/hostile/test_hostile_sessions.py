"""RTSP servers that try to lead FFmpeg somewhere else: to files, or to other servers by other protocols."""

import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hostile_rig import roots, spec, watched

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import build_command

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None
    or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode != 0,
    reason="there is no strace, or it may trace nothing",
)

SESSION = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n"
ANSWERS = {
    "a redirection to a file": ("302 Found", "Location: file://{canary}", ""),
    "a redirection to the web": ("302 Found", "Location: http://127.0.0.1:{port}/live.m3u8", ""),
    "a description that is a playlist": (
        "200 OK",
        "Content-Type: application/vnd.apple.mpegurl",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{canary}\n#EXT-X-ENDLIST\n",
    ),
    "a control address that is a file": (
        "200 OK",
        "Content-Base: file://{canary}\r\nContent-Type: application/sdp",
        SESSION + "m=video 0 RTP/AVP 33\r\na=control:file://{canary}\r\n",
    ),
    "a control address in the web": (
        "200 OK",
        "Content-Type: application/sdp",
        SESSION + "m=video 0 RTP/AVP 33\r\na=control:http://127.0.0.1:{port}/live.m3u8\r\n",
    ),
}


@contextmanager
def listening(answer: tuple[str, str, str] | None = None) -> Iterator[tuple[int, list[str]]]:
    """A server that describes itself in this way, once, and refuses all else; gives its port and what it was asked."""
    asked: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        timeout = 5

        def handle(self) -> None:
            while request := list(iter(self._line, "")):
                asked.append(request[0])
                verb = request[0].partition(" ")[0]
                status, header, body = "404 Not Found" if verb != "OPTIONS" else "200 OK", "Server: x", ""
                if verb == "DESCRIBE" and answer:
                    status, header, body = answer
                numbers = [line for line in request if line.lower().startswith("cseq:")]
                lines = [f"RTSP/1.0 {status}", *numbers, header, f"Content-Length: {len(body)}", "", body]
                self.wfile.write("\r\n".join(lines).encode())

        def _line(self) -> str:
            return self.rfile.readline().decode(errors="replace").rstrip()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ANSWERS)
def test_no_rtsp_server_leads_to_a_file_or_to_another_protocol(binary: Binary, tmp_path: Path, name: str) -> None:
    host, canary = roots(tmp_path), tmp_path / "outside" / "secret.txt"
    with listening() as (port, elsewhere):
        status, header, body = (part.format(canary=canary, port=port) for part in ANSWERS[name])
        with listening((status, header, body)) as (rtsp, asked):
            command = build_command(spec(sources=[{"url": f"rtsp://127.0.0.1:{rtsp}/live"}]), binary, host)
            seen = watched(command.argv, command.env, tmp_path)

    assert any(request.startswith("DESCRIBE") for request in asked)
    assert seen.read, "nothing was traced"
    assert seen.strange([*host.media_roots, host.hls_root, binary.path.parent]) == set()
    assert [request for request in elsewhere if not request.endswith("RTSP/1.0")] == []
