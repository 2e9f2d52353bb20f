"""The command line: a line or two each, over the client.

This module decides only where a command line goes, because it is on the way to the console's first paint: Typer
(55 ms), the settings (180 ms) and the HTTP client (130 ms, all measured) are imported where they are needed.
"""

import os
import sys
from collections.abc import Callable, Sequence

from transcoder_tui.cli.exit_codes import ExitCode

COMPLETING = "_TRANSCODER_TUI_COMPLETE"
"""Set by the shell while it completes a command line, which then must not open the console."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line.

    Args:
        arguments: Without the program's name; None takes the process's own.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    return int(_guarded(lambda: _dispatch(given), as_json="--json" in given))


def _dispatch(given: list[str]) -> int:
    from transcoder_tui.cli.start_console import console_options, open_console

    options = None if COMPLETING in os.environ else console_options(given)
    if options is not None:
        return open_console(options)
    from transcoder_tui.cli.app import run_command

    return run_command(given)


def _guarded(work: Callable[[], int], *, as_json: bool) -> int:
    """Runs the work and turns whatever it raises into a message and an exit code."""
    try:
        return work()
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes stdout once more when it ends, and would complain (Python documentation of SIGPIPE).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.PIPE_CLOSED
    except Exception as error:
        from transcoder_tui.cli.problems import report

        return report(error, as_json=as_json)
