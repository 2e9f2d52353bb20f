"""The console in a browser on this machine, or at the end of an SSH tunnel to it."""

import errno
import secrets
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler
from textual_serve.server import Server

from transcoder_tui.errors import HostFault

HOST = "127.0.0.1"
"""Nobody else's machine reaches it, because HTTP is not encrypted: ``ssh -L`` brings it to another desk."""
TOKEN_BYTES = 18
"""As many random bytes as 24 characters of base64 hold."""
PAGE = Path(__file__).with_name("web_page")


class ConsoleServer(Server):
    """Serves consoles, each in a process of its own, to whoever knows the token.

    Args:
        command: Opens a console, as a line for a shell.
        port: Of :data:`HOST`.
    """

    def __init__(self, command: str, port: int) -> None:
        super().__init__(command, host=HOST, port=port, title="transcoder-tui", templates_path=PAGE)
        self._token = secrets.token_urlsafe(TOKEN_BYTES)

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"{self.public_url}/{self._token}/"

    async def _make_app(self) -> web.Application:
        """Everything below the token; nothing else is there."""
        guarded = web.Application(middlewares=[_same_origin])
        guarded.add_subapp(f"/{self._token}", await super()._make_app())
        return guarded

    async def on_startup(self, app: web.Application) -> None:
        """Says nothing yet: the port is not open."""

    def serve(self, debug: bool = False) -> None:
        """Serves until the process is told to end; says where the console is as soon as it can be opened."""
        web.run_app(self._make_app(), host=self.host, port=self.port, print=lambda _: self._announce(), access_log=None)

    def _announce(self) -> None:
        print(f"The console is at {self.address}")
        print("The address holds the key: who knows it may do whatever the console may. End with ctrl+c.", flush=True)


@web.middleware
async def _same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses what another site's page asks for, and names that were made to point here (DNS rebinding)."""
    host = request.host.rpartition(":")[0]
    origin = request.headers.get("Origin")
    if host not in (HOST, "localhost") or (origin is not None and origin != f"http://{request.host}"):
        raise web.HTTPForbidden(text=f"open it as http://{HOST}, through a tunnel too\n")
    return await handler(request)


def serve_console(arguments: Sequence[str], port: int) -> None:
    """Serves the console until the process is told to end.

    Args:
        arguments: For each console, such as ``--read-only``.
        port: TCP port.

    Raises:
        HostFault: Where the port cannot be had.
    """
    server = ConsoleServer(shlex.join([sys.executable, "-m", "transcoder_tui", *arguments]), port)
    try:
        server.serve()
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise HostFault(f"port {port} cannot be had: {error.strerror}", "choose another one", "--port") from None
