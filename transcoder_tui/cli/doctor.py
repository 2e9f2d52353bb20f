"""``doctor``: whether this machine is ready for live channels. The one command that looks itself, without a worker."""

from dataclasses import asdict

from transcoder_tui.cli.exit_codes import ExitCode
from transcoder_tui.cli.handles import keeper_of
from transcoder_tui.cli.output import Style, can_show, say, write_json
from transcoder_tui.client.background import answers
from transcoder_tui.errors import HostFault, TranscoderError
from transcoder_tui.ffmpeg.binary import find_binary
from transcoder_tui.ffmpeg.encoders import REQUIRED
from transcoder_tui.host.checks import Check, machine_checks
from transcoder_tui.models.capacity import MEASURE
from transcoder_tui.settings import Settings
from transcoder_tui.worker.capacity import kept, staleness

_MARKS: dict[bool | None, tuple[str, str, str, Style]] = {
    True: ("✔", "+", "ok", "good"),
    None: ("●", "*", "note", "warning"),
    False: ("✖", "X", "fault", "bad"),
}
"""Glyph, its ASCII form, word and colour of each result."""


def examine(settings: Settings, *, as_json: bool) -> ExitCode:
    """Prints what was looked at, what was found and what to do about it.

    Returns:
        A failure if anything is at fault; advice is none.
    """
    checks = [
        *ffmpeg_checks(settings),
        capacity_check(settings),
        worker_check(settings),
        *machine_checks(settings, keeper_of(settings.run_path)),
    ]
    if as_json:
        write_json([asdict(check) for check in checks])
    else:
        for check in checks:
            _say(check, max(len(check.name) for check in checks))
    return ExitCode.FAILED if any(check.ok is False for check in checks) else ExitCode.OK


def ffmpeg_checks(settings: Settings) -> list[Check]:
    """Whether there is an FFmpeg that can run channels."""
    try:
        binary = find_binary(settings.ffmpeg.path)
    except HostFault as error:
        return [Check("ffmpeg", False, fault.fault, fault.remedy) for fault in error.faults]
    return [
        Check("ffmpeg", True, f"{binary.version} ({binary.origin}): {binary.path}"),
        Check("encoders", True, f"{', '.join(sorted(REQUIRED))} of {len(binary.encoders)}"),
    ]


def capacity_check(settings: Settings) -> Check:
    """Whether it is known what this machine encodes."""
    capacity = kept(settings.capacity)
    if capacity is None:
        return Check("capacity", None, "not measured: nobody can say what a channel will cost", f"'{MEASURE}'")
    try:
        stale = staleness(capacity, find_binary(settings.ffmpeg.path))
    except HostFault:
        stale = staleness(capacity, None)
    if stale:
        return Check("capacity", None, stale)
    return Check("capacity", True, f"measured on {capacity.at:%Y-%m-%d} with FFmpeg {capacity.ffmpeg}")


def worker_check(settings: Settings) -> Check:
    """Whether a worker answers; none is no fault, as it may not have been started yet."""
    try:
        if answers(settings) and keeper_of(settings.run_path) is None:
            remedy = "'transcoder-tui worker start' replaces it; channels stay on air"
            return Check("worker", False, "answers, but has no keeper: nobody restarts it when it ends", remedy)
        if answers(settings):
            return Check("worker", True, f"answers on {settings.socket}")
    except TranscoderError as error:
        return Check("worker", False, error.faults[0].fault, error.faults[0].remedy)
    return Check("worker", None, f"none answers on {settings.socket}", "start it with 'transcoder-tui worker start'")


def _say(check: Check, width: int) -> None:
    glyph, ascii_glyph, word, style = _MARKS[check.ok]
    say(f"{glyph if can_show(glyph) else ascii_glyph} {word:<5}  {check.name:<{width}}  {check.finding}", style)
    if check.remedy:
        say(f"{'':<{width + 11}}{check.remedy}")
