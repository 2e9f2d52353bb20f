"""Documents of hundreds of channels, read and written so that nobody else waits long for the event loop."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi.responses import Response
from pydantic import BaseModel

from transcoder_tui.errors import Fault, InvalidInput
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.faults import parse
from transcoder_tui.models.ladder import expand, names_ladders
from transcoder_tui.models.lineup import LineUp
from transcoder_tui.settings import Settings
from transcoder_tui.worker.ladders import all_ladders

STEP = 20
"""Channels that are validated in one go: some 10 ms."""


async def read_lineup(document: dict[str, Any], settings: Settings) -> LineUp:
    """Validates a line-up channel by channel; what they must not share is for the editor to see.

    Args:
        document: The line-up, its ladders not written out yet.
        settings: Where the operator's own ladders are.

    Raises:
        InvalidInput: With a fault for each field that is wrong.
    """
    entries = document.get("channels")
    if names_ladders(document):
        document = expand(document, all_ladders(settings))
        entries = document["channels"]
    if not isinstance(entries, list):
        return parse(LineUp, document)
    head = parse(LineUp, {**document, "channels": []})
    faults: list[Fault] = []
    for index, entry in enumerate(entries):
        if index % STEP == STEP - 1:
            await asyncio.sleep(0)
        try:
            head.channels.append(parse(ChannelSpec, entry))
        except InvalidInput as error:
            faults += [fault.within(f"channels[{index}]") for fault in error.faults]
    if faults:
        raise InvalidInput(faults)
    return head


def written(what: BaseModel | Sequence[BaseModel]) -> Response:
    """What the worker made itself, as JSON: to validate it again would take as long as to make it."""
    if isinstance(what, BaseModel):
        content = what.model_dump_json()
    else:
        content = f"[{','.join(entry.model_dump_json() for entry in what)}]"
    return Response(content, media_type="application/json")
