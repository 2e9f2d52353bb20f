"""``apply`` and ``export``: the whole rack as one file."""

import sys
from pathlib import Path
from typing import Any

from transcoder_tui.cli.exit_codes import ExitCode
from transcoder_tui.cli.naming import find_all
from transcoder_tui.cli.output import complain, say, write_json, write_text
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.client.lineup_file import (
    content_of,
    lineup_in,
    lineup_of,
    with_ladders,
    with_name,
    with_names,
    write_lineup,
)
from transcoder_tui.client.lineup_plan import change_lines
from transcoder_tui.client.yaml_text import MAX_BYTES, write_yaml
from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.ladder import names_ladders


def read_lineup(file: str) -> dict[str, Any]:
    """The document of a line-up file, validated unless it names ladders, which only the worker knows.

    Args:
        file: Its path; ``-`` is stdin.

    Raises:
        InvalidInput: With a fault for everything that is wrong with it.
    """
    if file == "-":
        return lineup_in(sys.stdin.buffer.read(MAX_BYTES + 1), "stdin")
    return lineup_in(content_of(Path(file)), file)


async def apply_lineup(
    client: WorkerClient, document: dict[str, Any], *, dry_run: bool, prune: bool, as_json: bool
) -> ExitCode:
    """Applies a line-up and prints a line for each change."""
    if names_ladders(document):
        document = with_ladders(document, await client.ladders())
    try:
        applied = await client.apply(document, dry_run=dry_run, prune=prune)
    except InvalidInput as error:
        raise with_names(error, document) from None
    if as_json:
        write_json(applied.model_dump(mode="json"))
    else:
        for text, style in change_lines(applied):
            say(text, style)
        for warning in applied.warnings:
            complain(f"! {with_name(warning, document.get('channels'))}")
    return ExitCode.OK


async def export_lineup(
    client: WorkerClient, named: list[str] | None, output: str | None, *, as_json: bool
) -> ExitCode:
    """Writes channels as a line-up, to stdout or to a file that only its owner can read: it holds stream keys."""
    chosen = {job.id for job in find_all(await client.jobs(), named or None)}
    document = lineup_of([channel.spec for channel in await client.channels() if channel.id in chosen])
    if output is None:
        if as_json:
            write_json(document)
        else:
            write_text(write_yaml(document))
        return ExitCode.OK
    write_lineup(Path(output), document)
    count = len(document["channels"])
    complain(f"{count} channel{'' if count == 1 else 's'} written to {output}.")
    return ExitCode.OK
