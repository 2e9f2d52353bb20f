"""Refuses request bodies that are larger than any line-up."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from transcoder_tui.errors import InvalidInput

MAX_BYTES = 10_000_000
"""Bytes of a request: a line-up of a thousand channels is about one megabyte."""


class BodyLimit:
    """Counts what a client sends before anything is made of it.

    Args:
        app: What answers the request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 413 where the body is too large, else hands it on."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "DELETE"):
            await self._app(scope, receive, send)
            return
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            parts.append(message.get("body", b""))
            size, more = size + len(parts[-1]), message.get("more_body", False)
            if size > MAX_BYTES:
                error = InvalidInput(f"the request is larger than {MAX_BYTES} bytes", "send fewer channels at a time")
                await JSONResponse(error.document(), 413)(scope, receive, send)
                return
        whole: list[Message] = [{"type": "http.request", "body": b"".join(parts), "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        await self._app(scope, replay, send)
