"""Work for one client that nobody else wants: it ends when the client leaves."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request
from starlette.exceptions import HTTPException

Result = TypeVar("Result")

CLIENT_GONE = 499
"""As nginx notes it; nobody gets to see it."""


async def while_present(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of the work, which is cancelled where the client goes away before.

    Args:
        request: Whose body was read already.
        work: What the client waits for.

    Raises:
        HTTPException: Where the client went away.
    """
    tasks = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done():
            raise HTTPException(CLIENT_GONE, "the client went away")
        return tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
