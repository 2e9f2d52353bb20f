"""The worker's Unix socket. Apart from the server, because that one takes long to import."""

import os
import socket
from pathlib import Path

from transcoder_tui.errors import HostFault

SOCKET_MODE = 0o660
DIRECTORY_MODE = 0o750


def bind(path: Path) -> socket.socket:
    """Binds the worker's socket, in place of one that a dead worker left behind; nobody can connect to it yet.

    Uvicorn would make it accessible to everybody, so it is made here. The caller holds the worker's lock, so whatever
    lies at the path is stale.

    Raises:
        HostFault: Where the path cannot be used.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        umask = os.umask(0o777 & ~SOCKET_MODE)
        try:
            listener.bind(str(path))
        finally:
            os.umask(umask)
    except OSError as error:
        listener.close()
        raise HostFault(
            f"the worker's socket {path} cannot be made: {error.strerror}",
            "remove what lies there, make its directory writable, or set TRANSCODER_API__SOCKET",
            "api.socket",
        ) from None
    return listener
