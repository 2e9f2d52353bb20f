"""``logs`` and ``events``: what FFmpeg said and what happened."""

import asyncio

from transcoder_tui.cli.exit_codes import ExitCode
from transcoder_tui.cli.figures import time_text
from transcoder_tui.cli.naming import find_one
from transcoder_tui.cli.output import Cell, Column, Style, complain, say, say_table, write_json
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import NoWorker
from transcoder_tui.models.event import Event, Severity
from transcoder_tui.models.view import LogChunk

POLL_S = 0.5
"""Wait between two looks at a log that is followed."""
CHUNK_LINES = 1000
"""Lines asked for at once while following."""

_STYLES: dict[Severity, Style] = {Severity.INFO: "plain", Severity.WARNING: "warning", Severity.ERROR: "bad"}


async def print_log(client: WorkerClient, named: str, *, lines: int, follow: bool, as_json: bool) -> ExitCode:
    """Prints the end of a channel's log and, where it is followed, what comes after it until interrupted."""
    channel = await find_one(client, named)
    chunk = await client.log(channel.id, lines=lines)
    _print_chunk(chunk, as_json=as_json)
    gone = False
    while follow:
        offset = chunk.next_offset
        try:
            chunk = await client.log(channel.id, lines=CHUNK_LINES, offset=offset)
        except NoWorker:
            if not gone:
                complain("-- the worker does not answer; the log goes on when it is back --")
            gone = True
            await asyncio.sleep(POLL_S)
            continue
        gone = False
        if chunk.offset > offset:
            complain(f"-- {chunk.offset - offset} bytes were dropped before they could be read --")
        if chunk.lines:
            _print_chunk(chunk, as_json=as_json)
        else:
            await asyncio.sleep(POLL_S)
    return ExitCode.OK


async def print_events(
    client: WorkerClient, named: str | None, *, limit: int, with_log: bool, as_json: bool
) -> ExitCode:
    """Prints the latest events; on demand with what was kept of FFmpeg's log where a run failed."""
    channel = None if named is None else (await find_one(client, named)).id
    events = await client.events(limit, channel)
    if as_json:
        write_json([event.model_dump(mode="json") for event in events])
    elif events:
        say_table(
            (Column("TIME"), Column("SEVERITY"), Column("CHANNEL"), Column("WHO"), Column("WHAT")),
            [_row(event) for event in events],
            below=[event.log.splitlines() if with_log else [] for event in events],
        )
    return ExitCode.OK


def _row(event: Event) -> list[Cell]:
    return [
        Cell(time_text(event.at)),
        Cell(event.severity, _STYLES[event.severity]),
        Cell(event.channel or "-"),
        Cell(event.actor or "-"),
        Cell(event.message),
    ]


def _print_chunk(chunk: LogChunk, *, as_json: bool) -> None:
    if as_json:
        write_json(chunk.model_dump(mode="json"), compact=True)
        return
    for line in chunk.lines:
        say(line)
