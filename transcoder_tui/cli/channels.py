"""``channels``, ``show`` and ``command``: what the rack does."""

from datetime import UTC, datetime

from transcoder_tui.cli.exit_codes import ExitCode
from transcoder_tui.cli.figures import (
    bitrate_text,
    bytes_text,
    complaint,
    duration_text,
    flat,
    number_text,
    status_text,
    style_of,
    time_text,
    uptime_s,
)
from transcoder_tui.cli.naming import find_one
from transcoder_tui.cli.output import Cell, Column, complain, say, say_pairs, say_table, write_json
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.client.outlook import outlook
from transcoder_tui.errors import NoSuchChannel
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.view import ChannelView, JobView, Telemetry

COLUMNS = (
    Column("ID", right=True),
    Column("STATUS"),
    Column("NAME"),
    Column("GROUP", spare=6),
    Column("FPS", right=True, spare=1),
    Column("SPEED", right=True, spare=2),
    Column("BITRATE", right=True, spare=3),
    Column("DROPS", right=True, spare=4),
    Column("RESTARTS", right=True, spare=5),
    Column("UPTIME", right=True),
    Column("MESSAGE"),
)


async def list_channels(client: WorkerClient, *, as_json: bool) -> ExitCode:
    """Prints a line for each channel."""
    views = (await client.metrics()).channels
    now = datetime.now(UTC)
    if as_json:
        write_json([flat(view, now) for view in views])
    elif views:
        say_table(COLUMNS, [_row(view, now) for view in views], cut=True)
    else:
        complain("There are no channels yet; make one in the console, or with 'transcoder-tui apply FILE'.")
    return ExitCode.OK


async def show_channel(client: WorkerClient, named: str, *, as_json: bool) -> ExitCode:
    """Prints everything about one channel."""
    job = await find_one(client, named)
    spec = (await client.channel(job.id)).parsed()
    view = next((view for view in (await client.metrics()).channels if view.id == job.id), None)
    if view is None:
        raise NoSuchChannel(f"{job.channel} was deleted a moment ago")
    now = datetime.now(UTC)
    if as_json:
        sources = [source.address.masked for source in spec.sources]
        write_json(
            flat(view, now) | {"all_sources": sources, "autostart": spec.autostart, "job": job.model_dump(mode="json")}
        )
        return ExitCode.OK
    say(f"{view.name}  {status_text(view)}", style_of(view))
    say_pairs([pair for pair in _details(view, spec, job, now) if pair[1]])
    return ExitCode.OK


async def show_command(client: WorkerClient, named: str, *, as_json: bool) -> ExitCode:
    """Prints the FFmpeg command of a channel."""
    command = await client.command((await find_one(client, named)).id)
    if as_json:
        write_json(command.model_dump(mode="json"))
    else:
        say(command.shell)
    return ExitCode.OK


def _row(view: ChannelView, now: datetime) -> list[Cell]:
    style = style_of(view)
    figures = view.telemetry
    return [
        Cell(str(view.id)),
        Cell(status_text(view), style),
        Cell(view.name),
        Cell(view.group or "-"),
        Cell(number_text(figures.fps, ".1f")),
        Cell(number_text(figures.speed, ".2f")),
        Cell(bitrate_text(figures.bitrate)),
        Cell(number_text(figures.drops)),
        Cell(str(view.restarts)),
        Cell(duration_text(uptime_s(view, now))),
        Cell(complaint(view, now), style),
    ]


def _details(view: ChannelView, spec: ChannelSpec, job: JobView, now: datetime) -> list[tuple[str, str]]:
    """Names and values, in the order in which an operator asks for them; empty values are left out."""
    figures = view.telemetry
    on_air = view.on_air_since and uptime_s(view, now) is not None
    return [
        ("id", f"{view.id}, revision {view.revision}"),
        *_faults(view, now),
        ("wanted", f"{view.wanted}{', starts by itself after a reboot' if spec.autostart else ''}"),
        ("on air", f"{duration_text(uptime_s(view, now))}, since {time_text(view.on_air_since)}" if on_air else ""),
        ("restarts", f"{view.restarts} since the last order" if view.restarts else ""),
        ("pid", str(view.pid or "")),
        ("exit code", f"{job.exit_code}, of the run before" if job.exit_code is not None else ""),
        ("fps", number_text(figures.fps, ".1f") if figures.fps is not None else ""),
        ("speed", f"{figures.speed:.2f}" if figures.speed is not None else ""),
        ("bitrate", bitrate_text(figures.bitrate) if figures.bitrate is not None else ""),
        ("drops", f"{figures.drops}, repeats {number_text(figures.dups)}" if figures.drops is not None else ""),
        ("damage", _damage(figures)),
        ("last gap", f"{view.gap_s:g} s off air at the last interruption" if view.gap_s is not None else ""),
        ("cpu", f"{figures.cpu_percent:.0f} % of one core" if figures.cpu_percent is not None else ""),
        ("memory", bytes_text(figures.rss_bytes) if figures.rss_bytes is not None else ""),
        ("limits", view.limits),
        ("group", view.group or ""),
        ("priority", str(view.priority)),
        *_sources(view, spec),
        *[("rendition" if not index else "", text) for index, text in enumerate(view.renditions)],
        *[("encoder" if not index else "", picture.words) for index, picture in enumerate(view.encoders)],
        *[("output" if not index else "", text) for index, text in enumerate(view.outputs)],
    ]


def _damage(figures: Telemetry) -> str:
    """What the source lost since the channel is on air; empty where nothing was."""
    counts = (
        ("packets damaged", figures.corrupt, figures.corrupt_per_min),
        ("datagrams lost on the way", figures.lost, figures.lost_per_min),
        ("pictures or sounds not decoded", figures.undecoded, figures.undecoded_per_min),
        ("datagrams dropped by the host", figures.overrun, figures.overrun_per_min),
    )
    return ", ".join(f"{count} {what} ({number_text(recent)}/min)" for what, count, recent in counts if count)


def _faults(view: ChannelView, now: datetime) -> list[tuple[str, str]]:
    """Why it is off air, what comes next, and each alarm with its remedy; nothing is said twice."""
    pairs = [] if view.is_unwell else [("why", view.message), ("remedy", view.remedy)]
    said = {text for _, text in pairs}
    pairs.append(("next", outlook(view, now)))
    for alarm in view.alarms:
        lasts = duration_text((now - alarm.since).total_seconds())
        pairs.append(("alarm", f"{alarm.health} for {lasts}, since {time_text(alarm.since)}"))
        pairs += [(name, text) for name, text in (("", alarm.message), ("remedy", alarm.remedy)) if text not in said]
    return pairs


def _sources(view: ChannelView, spec: ChannelSpec) -> list[tuple[str, str]]:
    """The sources, numbered as ``switch`` takes them where there are several."""
    several = len(spec.sources) > 1
    used = f" (in use{', chosen by an operator' if view.pinned else ''})"
    return [
        (
            "source" if number == 1 else "",
            (f"{number}  " if several else "")
            + source.words
            + (used if several and number == view.source_index + 1 else ""),
        )
        for number, source in enumerate(spec.sources, 1)
    ]
