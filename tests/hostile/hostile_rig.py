"""Channels of people who mean harm, and what their FFmpeg is seen to do."""

import http.server
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.models.channel import ChannelSpec

SECONDS = 20
"""After which a run is ended."""
_SYSTEM = ("/usr/", "/lib", "/etc/", "/proc/", "/sys/", "/dev/", "/var/cache/fontconfig")
"""Where programs read what they are made of."""
_CALL = re.compile(r'^\d+ +(\w+)\((?:AT_FDCWD|-?\d+)?(?:, )?"((?:[^"\\]|\\.)*)"(.*)\) += (-?\d+)')


def channel(**changes: Any) -> dict[str, Any]:
    """A small channel that asks for nothing wrong."""
    return {
        "name": "Hostile",
        "sources": [{"url": "test://bars?size=160x90&fps=25"}],
        "renditions": [
            {
                "name": "90p",
                "video": {"size": "160x90", "bitrate": "100k", "preset": "ultrafast", "gop": "1s"},
                "audio": {"bitrate": "32k"},
            }
        ],
        "outputs": [{"url": "hls://hostile", "segment": "1s"}],
        **changes,
    }


def spec(**changes: Any) -> ChannelSpec:
    return ChannelSpec.model_validate(channel(**changes))


def roots(directory: Path) -> HostFacts:
    """A machine whose roots are below a directory; beside them lies what nobody may touch."""
    for name in ("media", "hls", "outside"):
        (directory / name).mkdir()
    (directory / "outside" / "secret.txt").write_text("canary")
    font = next((path for path in Path("/usr/share/fonts").rglob("*.ttf")), None)
    return HostFacts(
        interfaces={"lo": ["127.0.0.1"]},
        media_roots=[directory / "media"],
        hls_root=directory / "hls",
        progress_fd=1,
        font=font,
    )


@contextmanager
def serving(pages: Mapping[str, bytes], moved: Mapping[str, str], *, once: bool = False) -> Iterator[str]:
    """An HTTP server on loopback; ``moved`` are redirections. Gives its address.

    With ``once``, a page is gone when it was read, so that nobody comes again and again.
    """
    left = dict(pages)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path in moved:
                self.send_response(302)
                self.send_header("Location", moved[self.path])
                self.end_headers()
                return
            body = left.pop(self.path, None) if once else left.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Seen:
    """What a program did with files."""

    def __init__(self, trace: str, log: str, exit_code: int) -> None:
        self.log = log
        self.exit_code = exit_code
        self.read: set[str] = set()
        self.written: set[str] = set()
        for line in trace.splitlines():
            call = _CALL.match(line)
            if call is None or int(call[4]) < 0:
                continue
            changes = call[1] not in ("open", "openat", "openat2", "stat", "access", "readlink", "newfstatat", "execve")
            if changes and call[1] in ("mkdir", "rename", "unlink", "symlink", "link", "creat", "truncate", "mkdirat"):
                self.written.add(call[2])
            elif call[1] in ("open", "openat", "openat2"):
                writes = re.search(r"O_WRONLY|O_RDWR|O_CREAT", call[3])
                (self.written if writes else self.read).add(call[2])

    def strange(self, allowed: Sequence[Path]) -> set[str]:
        """Files that it opened although they are neither below ``allowed`` nor a part of the system."""
        return {
            path
            for path in self.read | self.written
            if path.startswith("/")
            and not any(Path(path).is_relative_to(root) for root in allowed)
            and (path in self.written or not path.startswith(_SYSTEM) or path == "/etc/passwd")
            and path not in ("/dev/null", "/dev/tty")
        }


def watched(argv: Sequence[str], env: Mapping[str, str], directory: Path) -> Seen:
    """Runs a program to its end under strace, with every file that it opens written down."""
    trace = directory / "trace"
    told = ["strace", "-f", "-s", "4096", "-e", "trace=%file", "-o", str(trace)]
    run = subprocess.run(
        ["timeout", "--signal=KILL", str(SECONDS), *told, *argv],
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=directory,
        check=False,
    )
    return Seen(trace.read_text(errors="replace"), run.stderr.decode(errors="replace"), run.returncode)
