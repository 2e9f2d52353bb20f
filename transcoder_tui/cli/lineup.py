"""``apply`` and ``export``: the whole rack as one file."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transcoder_tui.cli.exit_codes import ExitCode
from transcoder_tui.cli.naming import find_all
from transcoder_tui.cli.output import Style, complain, say, write_json, write_text
from transcoder_tui.cli.yaml_text import MAX_BYTES, read_yaml, write_yaml
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import Fault, HostFault, InvalidInput
from transcoder_tui.models.faults import parse
from transcoder_tui.models.ladder import expand, names_ladders
from transcoder_tui.models.lineup import VERSION, Applied, Change, ChangeKind, LineUp

_CHANNEL = re.compile(r"channels\[(\d+)\]")


def read_lineup(file: str) -> dict[str, Any]:
    """The document of a line-up file, validated unless it names ladders, which only the worker knows.

    Args:
        file: Its path; ``-`` is stdin.

    Raises:
        InvalidInput: With a fault for everything that is wrong with it.
    """
    document = read_yaml(_content(file), "stdin" if file == "-" else file)
    if isinstance(document, dict) and names_ladders(document):
        return document
    return _valid(document)


def _valid(document: Any) -> dict[str, Any]:
    try:
        return parse(LineUp, document).document()
    except InvalidInput as error:
        raise _with_names(error, document) from None


async def apply_lineup(
    client: WorkerClient, document: dict[str, Any], *, dry_run: bool, prune: bool, as_json: bool
) -> ExitCode:
    """Applies a line-up and prints a line for each change."""
    try:
        if names_ladders(document):
            document = _valid(expand(document, await client.ladders()))
        applied = await client.apply(document, dry_run=dry_run, prune=prune)
    except InvalidInput as error:
        raise _with_names(error, document) from None
    if as_json:
        write_json(applied.model_dump(mode="json"))
    else:
        for text, style in change_lines(applied):
            say(text, style)
        for warning in applied.warnings:
            complain(f"! {_with_name(warning, document.get('channels'))}")
    return ExitCode.OK


async def export_lineup(
    client: WorkerClient, named: list[str] | None, output: str | None, *, as_json: bool
) -> ExitCode:
    """Writes channels as a line-up, to stdout or to a file that only its owner can read: it holds stream keys."""
    chosen = {job.id for job in find_all(await client.jobs(), named or None)}
    specs = [channel.spec for channel in await client.channels() if channel.id in chosen]
    document = {"version": VERSION, "channels": specs}
    if output is None:
        if as_json:
            write_json(document)
        else:
            write_text(write_yaml(document))
        return ExitCode.OK
    _write_privately(Path(output), write_yaml(document))
    complain(f"{len(specs)} channel{'' if len(specs) == 1 else 's'} written to {output}.")
    return ExitCode.OK


def change_lines(applied: Applied) -> list[tuple[str, Style]]:
    """What was changed, or would be, a line for each channel and one for those that stay as they are."""
    changes = [change for change in applied.changes if change.kind is not ChangeKind.KEEP]
    kept = len(applied.changes) - len(changes)
    width = max((len(change.channel) for change in changes), default=0)
    lines = [line for change in changes for line in _lines(change, width, applied)]
    if kept or not lines:
        lines.append((f"= {kept} unchanged", "quiet"))
    return [*lines, *_budget_lines(applied)]


def _lines(change: Change, width: int, applied: Applied) -> Iterator[tuple[str, Style]]:
    dry_run, said = applied.dry_run, applied.cost.notes if applied.cost is not None else []
    sign, done, style = _WORDS[change.kind]
    what = f"would be {done}" if dry_run else done
    fields = f": {', '.join(change.fields)}" if change.fields else ""
    restarted = (" (would restart)" if dry_run else " (restarted)") if change.restarts else ""
    taken_off = " (on air)" if change.on_air and change.kind is ChangeKind.DELETE and dry_run else ""
    cost = f"; about {change.cost.cores:.1f} cores" if change.cost and change.cost.cores is not None else ""
    yield f"{sign} {change.channel:<{width}}  {what}{fields}{restarted}{taken_off}{cost}", style
    for slow in change.cost.slow if change.cost else ():
        yield f"  {'':<{width}}  slower than real time: {slow}", "bad"
    for note in change.cost.notes if change.cost else ():
        if note not in said:
            yield f"  {'':<{width}}  {note}", "quiet"


def _budget_lines(applied: Applied) -> Iterator[tuple[str, Style]]:
    """What the changes of a dry run cost together."""
    cost = applied.cost
    if cost is not None and cost.cores is not None:
        yield f"Together {cost.words}.", "warning" if cost.is_too_much else "plain"
    for note in cost.notes if cost is not None else ():
        yield f"{note[0].upper()}{note[1:]}.", "warning"


_WORDS: dict[ChangeKind, tuple[str, str, Style]] = {
    ChangeKind.CREATE: ("+", "created", "good"),
    ChangeKind.CHANGE: ("~", "changed", "warning"),
    ChangeKind.DELETE: ("-", "deleted", "bad"),
}


def _content(file: str) -> bytes:
    """The file's bytes, at most one more than are allowed."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with Path(file).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", "name a line-up file, or - for stdin", file) from None


def _with_names(error: InvalidInput, document: object) -> InvalidInput:
    """The same faults, each with the name of the channel that its path counts to."""
    channels = document.get("channels") if isinstance(document, dict) else None
    return InvalidInput([_with_name(fault, channels) for fault in error.faults])


def _with_name(fault: Fault, channels: object) -> Fault:
    place = _CHANNEL.match(fault.field)
    if place is None or not isinstance(channels, list) or int(place[1]) >= len(channels):
        return fault
    channel = channels[int(place[1])]
    name = channel.get("name") if isinstance(channel, dict) else None
    if not isinstance(name, str) or name in fault.fault:
        return fault
    return Fault(f"{fault.fault} (in {name[:64]})", fault.remedy, fault.field)


def _write_privately(path: Path, text: str) -> None:
    """Puts a file in place in one step, with mode 0600 from its first byte on."""
    target = path.resolve()
    try:
        descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(target)
        except BaseException:
            Path(draft).unlink()
            raise
    except OSError as error:
        raise HostFault(f"cannot be written: {error.strerror}", "choose another file", str(path)) from None
