"""Opens the console, which paints first and looks for its worker then."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transcoder_tui.client.client import WorkerClient


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """What the command line says about the console."""

    data_dir: str | None = None
    config: str | None = None
    read_only: bool = False
    ascii: bool = False
    """Draw without characters beyond ASCII."""


def console_options(arguments: Sequence[str]) -> ConsoleOptions | None:
    """The options of a command line that only opens the console; None where it holds anything else.

    Everything else, ``--help`` and mistakes included, is left to Typer.
    """
    options = ConsoleOptions()
    rest = iter(arguments)
    for argument in rest:
        name, separator, value = argument.partition("=")
        if argument == "--read-only":
            options = replace(options, read_only=True)
        elif argument == "--ascii":
            options = replace(options, ascii=True)
        elif name in ("--data-dir", "--config"):
            value = value if separator else next(rest, "")
            if not value:
                return None
            options = replace(options, data_dir=value) if name == "--data-dir" else replace(options, config=value)
        else:
            return None
    return options


def use_config(path: str | None) -> None:
    """Makes ``--config`` the settings file of this process and of the worker that it may start."""
    if path:
        os.environ["TRANSCODER_CONFIG"] = str(Path(path).absolute())


def open_console(options: ConsoleOptions) -> int:
    """Shows the console until the operator leaves it.

    Returns:
        The exit code.

    Raises:
        HostFault: Where there is no terminal.
    """
    use_config(options.config)
    from transcoder_tui.console.app import run_console

    started: list[bool] = []

    def connect() -> "WorkerClient":
        """Reads the settings and finds or starts the worker; runs after first paint, in a thread."""
        from transcoder_tui.client.background import ensure_worker
        from transcoder_tui.client.client import WorkerClient
        from transcoder_tui.settings import load_settings

        settings = load_settings(data_dir=options.data_dir)
        started.append(ensure_worker(settings))
        return WorkerClient(settings.socket)

    farewell = run_console(connect, ascii_only=options.ascii, read_only=options.read_only)
    for line in parting_lines(farewell, started=any(started), data_dir=options.data_dir):
        print(line)
    return 0


def parting_lines(farewell: str, *, started: bool, data_dir: str | None) -> list[str]:
    """What to say after leaving the console: what goes on without it, and how to end that.

    Args:
        farewell: What the console said, such as ``3 channels stay on air.``.
        started: Whether it had to start a worker.
        data_dir: The data directory of the command line, which the commands then need as well.
    """
    program = f"transcoder-tui --data-dir {shlex.quote(data_dir)}" if data_dir else "transcoder-tui"
    lines = [farewell] if farewell else []
    if "stay" in farewell:
        lines.append(f"Stop them with: {program} stop --all")
    if started:
        lines.append(f"The worker runs on in the background; end it with: {program} worker stop")
    return lines
