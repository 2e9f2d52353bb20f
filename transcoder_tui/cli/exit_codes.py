"""Exit codes of the command line, and the errors that they stand for."""

from enum import IntEnum

from transcoder_tui.errors import InvalidInput, NoSuchChannel, NoWorker, TranscoderError


class ExitCode(IntEnum):
    """What a script can tell from the exit code."""

    OK = 0
    FAILED = 1
    """It was understood, but did not work."""
    USAGE = 2
    """The command line itself is wrong."""
    INVALID = 3
    """A document or a setting is wrong; nothing was changed."""
    NO_CHANNEL = 4
    """No channel has that id or name."""
    NO_WORKER = 5
    """Nothing answers on the worker's socket."""
    INTERRUPTED = 130
    """Ctrl-C: 128 + SIGINT, as shells report it."""
    PIPE_CLOSED = 141
    """The reader of our output left, as ``head`` does: 128 + SIGPIPE, as shells report it."""


_CODES: dict[type[TranscoderError], ExitCode] = {
    InvalidInput: ExitCode.INVALID,
    NoSuchChannel: ExitCode.NO_CHANNEL,
    NoWorker: ExitCode.NO_WORKER,
}


def code_of(error: TranscoderError) -> ExitCode:
    """The exit code for an error."""
    return _CODES.get(type(error), ExitCode.FAILED)


def code_of_all(errors: list[TranscoderError]) -> ExitCode:
    """The exit code where several things were tried: 0 if none failed, the common code if all failures have one."""
    if not errors:
        return ExitCode.OK
    codes = {code_of(error) for error in errors}
    return codes.pop() if len(codes) == 1 else ExitCode.FAILED
