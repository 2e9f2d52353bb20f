"""Serves the API on the worker's Unix socket."""

import asyncio
import contextlib
import pwd
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from transcoder_tui.api.app import make_app
from transcoder_tui.worker.supervisor import Supervisor

_CREDENTIALS = struct.Struct("3i")
"""struct ucred of unix(7): pid, uid, gid."""


class _PeerProtocol(H11Protocol):
    """Names the caller by the credentials that the kernel vouches for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer: socket.socket = transport.get_extra_info("socket")
        raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _ = _CREDENTIALS.unpack(raw)
        self.client = (_login(uid), pid)


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers, which the daemon has, and with a word when it answers."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._ending = asyncio.Event()

    async def main_loop(self) -> None:
        """Waits for the end. Uvicorn looks ten times a second, to date its answers: more than a whole rack costs."""
        await self._ending.wait()

    def end(self) -> None:
        """Begins to end."""
        self.should_exit = True
        self._ending.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to answer."""
        await super().startup(sockets)
        self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals alone."""
        yield


async def serve(supervisor: Supervisor, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Answers requests until it is cancelled; those under way then have a second to come to their end.

    Args:
        supervisor: Whom to ask.
        listener: The bound socket.
        on_ready: Called when it answers.
    """
    options: dict[str, Any] = {
        "http": _PeerProtocol,
        "ws": "none",
        "lifespan": "off",
        "access_log": False,
        "proxy_headers": False,
        "date_header": False,
    }
    config = uvicorn.Config(make_app(supervisor), log_config=None, timeout_graceful_shutdown=1, **options)
    server = _Server(config, on_ready)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.end()
        await serving
        raise


def _login(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
