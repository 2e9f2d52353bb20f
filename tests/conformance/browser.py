"""hls.js in Chromium, playing a ladder while it is on air."""

import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from conformance_rig import Rig, tool_path, until

PLAYER = Path(__file__).with_name("player.html")
VERSION = "1.7"
"""The hls.js that is fetched from npm: its latest patch."""
HEADLESS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
)
"""No window, no sound, no traffic of its own. A sandbox is not to be had for root; what is shown is our own."""


def hls_js(cache: Path) -> Path:
    """The player's script, fetched from npm where it is not there yet."""
    script = cache / "node_modules" / "hls.js" / "dist" / "hls.min.js"
    if not script.exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = [tool_path("npm"), "install", "--prefix", str(cache), "--no-audit", "--no-fund", f"hls.js@{VERSION}"]
        subprocess.run(command, check=True, capture_output=True, timeout=100)
    return script


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the channel's HLS directory, the page and the player's script, and takes what the page saw."""

    def __init__(self, *arguments: Any, script: Path, page: Path, seen: list[dict[str, Any]], **named: Any) -> None:
        self._files = {"/": ("text/html", page), "/hls.js": ("text/javascript", script)}
        self._seen = seen
        super().__init__(*arguments, **named)

    def do_GET(self) -> None:
        kind, file = self._files.get(self.path, (None, None))
        if kind is None or file is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(file.read_bytes())

    def do_POST(self) -> None:
        self._seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: the report has room for what went wrong only."""


@contextmanager
def _served(directory: Path, script: Path, page: Path, seen: list[dict[str, Any]]) -> Iterator[int]:
    handler = partial(_Handler, directory=str(directory), script=script, page=page, seen=seen)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


def played(rig: Rig, script: Path, timeout_s: float, page: Path = PLAYER) -> dict[str, Any]:
    """Plays the ladder below the HLS root; gives what the page saw.

    Returns:
        What the page tells; of :data:`PLAYER`,
        ``rungs``: sizes in the order in which they were played; ``errors``: hls.js's own words; ``frames`` and
        ``dropped``; ``played``: seconds.
    """
    seen: list[dict[str, Any]] = []
    with _served(rig.host.hls_root, script, page, seen) as port:
        profile = f"--user-data-dir={rig.directory / 'chromium'}"
        browser = rig.run("chromium", *HEADLESS, profile, f"http://127.0.0.1:{port}/")
        try:
            until(lambda: seen, "the page tells what it saw", timeout_s)
        finally:
            rig.end(browser)
    return seen[0]
