"""Assembles the command line. Each command says what it takes; what it does is in the room beside it.

The rooms are imported when a command runs, so that ``--help``, mistakes and the shell's completion answer at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from transcoder_tui import __version__
from transcoder_tui.cli.exit_codes import ExitCode
from transcoder_tui.cli.start_console import ConsoleOptions, open_console, use_config

if TYPE_CHECKING:
    from transcoder_tui.client.client import WorkerClient
    from transcoder_tui.settings import Settings

PROGRAM = "transcoder-tui"


class _Group(TyperGroup):
    """Lets a closed pipe through to ``main``; Typer would end with 1, like a failure."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _PipeClosed from error


class _PipeClosed(Exception):
    """A closed pipe, in a form that Typer does not know."""


app = typer.Typer(
    cls=_Group,
    name=PROGRAM,
    help="Runs a rack of live FFmpeg channels. Without a command: the console.",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
worker_app = typer.Typer(
    help="The worker, which keeps the channels on air.", rich_markup_mode=None, no_args_is_help=True
)
app.add_typer(worker_app, name="worker")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Channel = Annotated[str, typer.Argument(metavar="CH", help="Id or name of a channel.", show_default=False)]
Channels = Annotated[
    list[str] | None, typer.Argument(metavar="CH…", help="Ids or names of channels.", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="Every channel.")]


@dataclass(frozen=True, slots=True)
class _Globals:
    """The options before the command."""

    data_dir: str | None


def run_command(arguments: Sequence[str]) -> int:
    """Runs one command.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit code.
    """
    try:
        typer.main.get_command(app)(args=list(arguments), prog_name=PROGRAM)
    except _PipeClosed as error:
        raise BrokenPipeError from error
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.OK
    return ExitCode.OK


def _settings(ctx: typer.Context) -> "Settings":
    from transcoder_tui.settings import load_settings

    options: _Globals = ctx.obj
    return load_settings(data_dir=options.data_dir)


def _ask(ctx: typer.Context, work: "Callable[[WorkerClient], Awaitable[int]]") -> None:
    """Runs work that speaks with the worker; its result is the exit code."""
    from transcoder_tui.client.client import WorkerClient

    socket = _settings(ctx).socket

    async def connected() -> int:
        async with WorkerClient(socket) as client:
            return await work(client)

    raise typer.Exit(asyncio.run(connected()))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    ctx: typer.Context,
    data_dir: Annotated[
        str | None, typer.Option(metavar="PATH", help="Where database, logs and media lie.", show_default=False)
    ] = None,
    config: Annotated[
        str | None, typer.Option(metavar="PATH", help="The settings file, in TOML.", show_default=False)
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Console: look, do not touch.")] = False,
    ascii_only: Annotated[bool, typer.Option("--ascii", help="Console: draw with ASCII only.")] = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    use_config(config)
    ctx.obj = _Globals(data_dir)
    if ctx.invoked_subcommand is None:
        options = ConsoleOptions(data_dir=data_dir, read_only=read_only, ascii=ascii_only)
        raise typer.Exit(open_console(options))


@app.command()
def channels(ctx: typer.Context, as_json: Json = False) -> None:
    """List the channels and how they do."""
    from transcoder_tui.cli.channels import list_channels

    _ask(ctx, lambda client: list_channels(client, as_json=as_json))


@app.command()
def show(ctx: typer.Context, channel: Channel, as_json: Json = False) -> None:
    """Show everything about one channel."""
    from transcoder_tui.cli.channels import show_channel

    _ask(ctx, lambda client: show_channel(client, channel, as_json=as_json))


@app.command()
def command(ctx: typer.Context, channel: Channel, as_json: Json = False) -> None:
    """Show a channel's FFmpeg command, secrets masked."""
    from transcoder_tui.cli.channels import show_command

    _ask(ctx, lambda client: show_command(client, channel, as_json=as_json))


@app.command()
def start(ctx: typer.Context, channels: Channels = None, every: All = False) -> None:
    """Put channels on air."""
    _order(ctx, "start", channels, every)


@app.command()
def stop(ctx: typer.Context, channels: Channels = None, every: All = False) -> None:
    """Take channels off air; each ends when FFmpeg has finished its outputs."""
    _order(ctx, "stop", channels, every)


@app.command()
def restart(ctx: typer.Context, channels: Channels = None, every: All = False) -> None:
    """Stop channels and start them again."""
    _order(ctx, "restart", channels, every)


@app.command()
def switch(
    ctx: typer.Context,
    channel: Channel,
    source: Annotated[
        int, typer.Argument(metavar="SOURCE", help="Its number, as 'show' lists them.", show_default=False)
    ],
) -> None:
    """Change a channel to another of its sources, where it stays until that source fails."""
    from transcoder_tui.cli.orders import switch as change_source

    _ask(ctx, lambda client: change_source(client, channel, source))


@app.command()
def acknowledge(ctx: typer.Context, channels: Channels = None, every: All = False) -> None:
    """Say that the alarms of channels have been seen; the console then alarms for new ones only."""
    from transcoder_tui.cli.orders import acknowledge as acknowledge_alarms

    names = _which(channels, every)
    _ask(ctx, lambda client: acknowledge_alarms(client, names))


def _order(
    ctx: typer.Context, verb: Literal["start", "stop", "restart"], channels: list[str] | None, every: bool
) -> None:
    from transcoder_tui.cli.orders import order

    names = _which(channels, every)
    _ask(ctx, lambda client: order(client, verb, names))


def _which(channels: list[str] | None, every: bool) -> list[str] | None:
    """The named channels, or None for all of them."""
    if bool(channels) == every:
        raise typer.BadParameter("name the channels, or say --all", param_hint="CH…")
    return channels or None


@app.command()
def delete(
    ctx: typer.Context,
    channels: Channels = None,
    every: All = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Stop channels and forget them."""
    from transcoder_tui.cli.orders import delete_channels

    names = _which(channels, every)
    _ask(ctx, lambda client: delete_channels(client, names, yes=yes))


@app.command()
def apply(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A line-up in YAML; - reads stdin.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete the channels that FILE does not name.")] = False,
    as_json: Json = False,
) -> None:
    """Make the channels match a line-up file, all or nothing; channels that do not change are not touched."""
    from transcoder_tui.cli.lineup import apply_lineup, read_lineup

    document = read_lineup(file)
    _ask(ctx, lambda client: apply_lineup(client, document, dry_run=dry_run, prune=prune, as_json=as_json))


@app.command()
def export(
    ctx: typer.Context,
    channels: Channels = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write to FILE, readable for you only.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write channels as a line-up file, stream keys included."""
    from transcoder_tui.cli.lineup import export_lineup

    _ask(ctx, lambda client: export_lineup(client, channels, output, as_json=as_json))


@app.command()
def logs(
    ctx: typer.Context,
    channel: Channel,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print new lines as they come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=5000, help="So many of the last lines.")] = 50,
    as_json: Json = False,
) -> None:
    """Print a channel's log."""
    from transcoder_tui.cli.logs import print_log

    _ask(ctx, lambda client: print_log(client, channel, lines=lines, follow=follow, as_json=as_json))


@app.command()
def events(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--lines", "-n", min=1, max=1000, help="So many of the last events.")] = 50,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="CH", help="Of this channel only.", show_default=False)
    ] = None,
    with_log: Annotated[
        bool, typer.Option("--log", help="Below each failure, the end of FFmpeg's log that was kept with it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print what happened and who did it, latest last; as JSON with what was kept of FFmpeg's log."""
    from transcoder_tui.cli.logs import print_events

    _ask(ctx, lambda client: print_events(client, channel, limit=limit, with_log=with_log, as_json=as_json))


@app.command()
def probe(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of a source, as line-ups write it.")],
    interface: Annotated[
        str | None,
        typer.Option("--interface", metavar="NAME", help="Join the group on this interface.", show_default=False),
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="Another field of the source, as line-ups name it.", show_default=False
        ),
    ] = None,
    time_s: Annotated[float, typer.Option("--time", metavar="S", min=3, max=60, help="Seconds at most.")] = 15,
    as_json: Json = False,
) -> None:
    """Show what a source carries: programs, streams, sizes, rates and languages."""
    from transcoder_tui.cli.probe import probe_source, source_document

    source = source_document(url, interface, field or [])
    _ask(ctx, lambda client: probe_source(client, source, time_s, as_json=as_json))


@app.command()
def ladders(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show the rungs of this one.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """List the ladders that a line-up can name in place of renditions."""
    from transcoder_tui.cli.ladders import list_ladders

    _ask(ctx, lambda client: list_ladders(client, name, as_json=as_json))


@app.command()
def interfaces(ctx: typer.Context, as_json: Json = False) -> None:
    """List the network interfaces of the worker's host."""
    from transcoder_tui.cli.machine import list_interfaces

    _ask(ctx, lambda client: list_interfaces(client, as_json=as_json))


@app.command()
def metrics(ctx: typer.Context, as_json: Json = False) -> None:
    """Print the figures of the machine and of the rack."""
    from transcoder_tui.cli.machine import print_metrics

    _ask(ctx, lambda client: print_metrics(client, as_json=as_json))


@app.command()
def doctor(
    ctx: typer.Context,
    bench: Annotated[bool, typer.Option("--bench", help="Measure what it encodes, and keep it.")] = False,
    as_json: Json = False,
) -> None:
    """Check whether this machine is ready for live channels; needs no worker."""
    if bench:
        from transcoder_tui.cli.bench import measure_machine

        raise typer.Exit(measure_machine(_settings(ctx), as_json=as_json))
    from transcoder_tui.cli.doctor import examine

    raise typer.Exit(examine(_settings(ctx), as_json=as_json))


@app.command()
def web(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535, help="TCP port on 127.0.0.1.")] = 8008,
    read_only: Annotated[bool, typer.Option("--read-only", help="Look, do not touch.")] = False,
) -> None:
    """Serve the console to browsers on this machine, at an address that nobody can guess."""
    from transcoder_tui.cli.web import serve_console

    options: _Globals = ctx.obj
    data_dir = ["--data-dir", options.data_dir] if options.data_dir else []
    serve_console([*data_dir, *(["--read-only"] if read_only else [])], port)


@worker_app.command("run")
def worker_run(ctx: typer.Context) -> None:
    """Run keeper and worker in the foreground, as systemd does."""
    from transcoder_tui.cli.worker import run

    run(_settings(ctx))


@worker_app.command("start")
def worker_start(ctx: typer.Context) -> None:
    """Start keeper and worker in the background, unless they run already."""
    from transcoder_tui.cli.worker import start

    raise typer.Exit(asyncio.run(start(_settings(ctx))))


@worker_app.command("stop")
def worker_stop(
    ctx: typer.Context,
    channels: Annotated[bool, typer.Option("--channels", help="Take the channels off air first.")] = False,
) -> None:
    """Stop keeper and worker. The channels stay on air."""
    from transcoder_tui.cli.worker import stop

    settings = _settings(ctx)
    _ask(ctx, lambda client: stop(client, settings, channels=channels))


@worker_app.command("status")
def worker_status(ctx: typer.Context, as_json: Json = False) -> None:
    """Say whether a worker runs, and which."""
    from transcoder_tui.cli.worker import status

    _ask(ctx, lambda client: status(client, as_json=as_json))


@worker_app.command("reload")
def worker_reload(ctx: typer.Context) -> None:
    """Have keeper and worker run the installed version, as after an upgrade. The channels stay on air."""
    from transcoder_tui.cli.worker import reload

    settings = _settings(ctx)
    _ask(ctx, lambda client: reload(client, settings))
