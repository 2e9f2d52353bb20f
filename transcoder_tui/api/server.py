"""Serves the API on the worker's Unix socket."""

import asyncio
import contextlib
import os
import pwd
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

SOCKET_MODE = 0o660
DIRECTORY_MODE = 0o750
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


class Server(uvicorn.Server):
    """Uvicorn without its own signal handlers: the daemon has them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals alone."""
        yield


def bind(path: Path) -> socket.socket:
    """Binds the worker's socket, in place of one that a dead worker left behind.

    Uvicorn would make it accessible to everybody, so it is made here. The caller holds the worker's lock, so whatever
    lies at the path is stale.
    """
    path.parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    umask = os.umask(0o777 & ~SOCKET_MODE)
    try:
        listener.bind(str(path))
    finally:
        os.umask(umask)
    listener.listen()
    return listener


def make_server(app: FastAPI) -> Server:
    """A server for the app; ``serve(sockets=[...])`` runs it until ``should_exit`` is set."""
    options: dict[str, Any] = {
        "http": _PeerProtocol,
        "ws": "none",
        "lifespan": "off",
        "access_log": False,
        "proxy_headers": False,
    }
    return Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1, **options))


def _login(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
