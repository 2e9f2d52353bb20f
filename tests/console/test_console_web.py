"""The console in a browser: Debian's Chromium, remote-controlled by its DevTools protocol."""

import asyncio
import base64
import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

PATIENCE_S = 60.0
FLAT_BYTES = 15_000
"""A screenshot of one colour takes less; one with words, more."""
CHROMIUM = ("--headless", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--window-size=1200,800")


@contextlib.asynccontextmanager
async def served(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a console that is served, without a worker behind it."""
    argv = [sys.executable, "-m", "transcoder_tui", "--data-dir", str(tmp_path / "data"), "web", "--port"]
    for port in range(18200, 18260):
        server = await asyncio.create_subprocess_exec(
            *argv, str(port), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path
        )
        assert server.stdout is not None
        said = (await asyncio.wait_for(server.stdout.readline(), PATIENCE_S)).decode()
        if found := re.search(r"http\S+", said):
            try:
                yield found.group()
            finally:
                server.terminate()
                await server.wait()
                # The console started it, and leaves it behind.
                await (await asyncio.create_subprocess_exec(*argv[:5], "worker", "stop")).wait()
            return
        await server.wait()
    raise AssertionError("no port is free")


class Browser:
    """A tab of Chromium."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.received = ""
        """What the page got from its own web sockets."""

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Calls a method of the protocol; what happens meanwhile is taken in."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self._socket.receive_json()
                if message.get("method") == "Network.webSocketFrameReceived":
                    frame = message["params"]["response"]
                    payload = frame["payloadData"]
                    self.received += (
                        base64.b64decode(payload).decode(errors="replace") if frame["opcode"] == 2 else payload
                    )
                if message.get("id") == self._number:
                    result: dict[str, Any] = message["result"]
                    return result

    async def until_received(self, words: str) -> None:
        """Waits until the page was sent some words."""
        async with asyncio.timeout(PATIENCE_S):
            while words not in self.received:
                await self.ask("Runtime.evaluate", expression="1")
                await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    """A Chromium of the test's own."""
    profile = tmp_path / "profile"
    process = await asyncio.create_subprocess_exec(
        "chromium",
        *CHROMIUM,
        f"--user-data-dir={profile}",
        "--remote-debugging-port=0",
        "about:blank",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port_file = profile / "DevToolsActivePort"
        async with asyncio.timeout(PATIENCE_S):
            while not (port_file.exists() and port_file.read_text().count("\n")):  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.05)
        port = port_file.read_text().splitlines()[0]
        async with aiohttp.ClientSession() as session:
            tabs = await (await session.get(f"http://127.0.0.1:{port}/json")).json()
            (tab,) = [tab for tab in tabs if tab["type"] == "page"]
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Browser(socket)
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
async def test_a_browser_shows_the_console_and_takes_keys(tmp_path: Path) -> None:
    async with served(tmp_path) as address, browser(tmp_path) as tab:
        await tab.ask("Network.enable")
        await tab.ask("Page.enable")
        await tab.ask("Page.navigate", url=address)
        await tab.until_received("transcoder-tui")
        await tab.until_received("No channels yet")
        for kind in ("keyDown", "char", "keyUp"):
            await tab.ask("Input.dispatchKeyEvent", type=kind, key="?", text="?" if kind != "keyUp" else "")
        await tab.until_received("esc closes")
        shot = base64.b64decode((await tab.ask("Page.captureScreenshot"))["data"])
        (tmp_path / "console.png").write_bytes(shot)
        assert len(shot) > FLAT_BYTES


async def test_without_the_token_or_from_another_site_nothing_is_there(tmp_path: Path) -> None:
    async with served(tmp_path) as address, aiohttp.ClientSession() as session:
        root = address.rsplit("/", 2)[0]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", root)
        for path in ("/", "/ws", "/static/js/textual.js", "/x/ws"):
            assert (await session.get(root + path)).status == 404
        async with session.get(address) as page:
            assert page.status == 200
            hosts = set(re.findall(r"(?:https?|wss?)://([^/\"]+)", await page.text()))
            assert hosts == {root.removeprefix("http://")}
        for header in ({"Origin": "http://elsewhere.example"}, {"Host": "rebound.example:80"}):
            assert (await session.get(address, headers=header)).status == 403
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(f"{address}ws", headers=header)
