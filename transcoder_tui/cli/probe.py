"""``probe``: what a source carries."""

from collections.abc import Sequence
from typing import Any

from transcoder_tui.cli.exit_codes import ExitCode
from transcoder_tui.cli.figures import bitrate_text, duration_text
from transcoder_tui.cli.output import Cell, Column, complain, say, say_pairs, say_table, write_json
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.client.findings import (
    codec_words,
    format_words,
    pid_text,
    program_title,
    program_words,
    rate_of,
    summary,
)
from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.faults import parse
from transcoder_tui.models.probe import Probe, ProbedStream
from transcoder_tui.models.source import Source

COLUMNS = (
    Column("PID"),
    Column("KIND"),
    Column("BITRATE", right=True),
    Column("LANGUAGE"),
    Column("CODEC"),
    Column("FORMAT"),
)


def source_document(url: str, interface: str | None, fields: Sequence[str]) -> dict[str, Any]:
    """The source that a command line names.

    Args:
        url: Its address.
        interface: The network interface.
        fields: Its other fields, each as ``NAME=VALUE``.

    Raises:
        InvalidInput: Where something is wrong with them.
    """
    document: dict[str, Any] = {"url": url} | ({"interface": interface} if interface else {})
    for field in fields:
        name, equals, value = field.partition("=")
        if not equals:
            raise InvalidInput(f"{field!r} is no field with its value", "write NAME=VALUE, such as sender=192.0.2.10")
        document[name] = value
    return parse(Source, document).model_dump(mode="json", exclude_none=True)


async def probe_source(client: WorkerClient, source: dict[str, Any], time_s: float, *, as_json: bool) -> ExitCode:
    """Prints programs and streams of a source."""
    if not as_json:
        complain(f"Looking into it for {time_s:g} s at most ...")
    found = await client.probe(source, time_s)
    if as_json:
        write_json(found.model_dump(mode="json"))
        return ExitCode.OK
    say(found.source)
    say_pairs([pair for pair in _pairs(found) if pair[1]])
    for program in found.programs:
        say("")
        say(program_title(found, program), "good")
        if words := program_words(program):
            say(f"  {words}", "quiet")
        _say_streams(found.streams_of(program))
    if loose := found.loose_streams():
        say("")
        if found.programs:
            say("In no program", "good")
        _say_streams(loose)
    return ExitCode.OK


def _pairs(found: Probe) -> list[tuple[str, str]]:
    return [
        ("carries", summary(found)),
        ("bitrate", f"{bitrate_text(found.bitrate)}b/s in all" if found.bitrate else ""),
        ("length", duration_text(found.duration_s) if found.duration_s else ""),
        ("measured", f"{found.measured_s:g} s of it" if found.measured_s else ""),
    ]


def _say_streams(streams: Sequence[ProbedStream]) -> None:
    say_table(COLUMNS, [_row(stream) for stream in streams], cut=True)


def _row(stream: ProbedStream) -> list[Cell]:
    return [
        Cell(pid_text(stream.pid) or "-"),
        Cell(stream.kind),
        Cell(bitrate_text(rate_of(stream))),
        Cell(stream.language or "-"),
        Cell(codec_words(stream)),
        Cell(format_words(stream) or "-"),
    ]
