"""Tells the operator what went wrong: one line for each fault, never a traceback."""

import os
import tempfile
import traceback

from transcoder_tui.cli.exit_codes import ExitCode, code_of
from transcoder_tui.cli.output import complain, write_json
from transcoder_tui.errors import TranscoderError

DEBUG = "TRANSCODER_DEBUG"
"""Environment variable that shows tracebacks on stderr."""


def report(error: Exception, *, as_json: bool) -> ExitCode:
    """Says on stderr what went wrong.

    Args:
        error: Any exception.
        as_json: Whether to write the error document of the API instead of prose.

    Returns:
        The exit code for it.
    """
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    if not isinstance(error, TranscoderError):
        error = _unexpected(error)
    if as_json:
        write_json(error.document(), to_stderr=True)
    else:
        complain(error.title)
        for fault in error.faults:
            complain(f"  {fault}")
    return code_of(error)


def _unexpected(error: Exception) -> TranscoderError:
    """What to say of an error that nobody foresaw; its traceback goes to a file that can be sent to the developers."""
    what = f"unexpected: {type(error).__name__}: {error}"
    try:
        with tempfile.NamedTemporaryFile("w", prefix="transcoder-tui-", suffix=".log", delete=False) as file:
            file.writelines(traceback.format_exception(error))
    except OSError:
        return TranscoderError(what, f"set {DEBUG}=1 and try again to see the details")
    return TranscoderError(what, f"the details are in {file.name}")
