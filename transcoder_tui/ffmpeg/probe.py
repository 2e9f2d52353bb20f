"""What FFmpeg is told to find out whether a source is there."""

from collections.abc import Sequence
from pathlib import Path

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import ENVIRONMENT, Command, secrets_of
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.inputs import build_input
from transcoder_tui.ffmpeg.progress import ProgressParser
from transcoder_tui.models.source import Source

LOOK_S = 2
"""Seconds of the source that are read."""


def build_probe(source: Source, field: str, binary: Binary, host: HostFacts) -> Command:
    """Reads a source for :data:`LOOK_S` without decoding it, and says on standard output what came.

    Args:
        source: The source.
        field: Its path in the document, such as ``sources[0]``.
        binary: The FFmpeg in use.
        host: This machine.

    Raises:
        HostFault: Where this machine lacks the interface.
        InvalidInput: Where a file lies outside the media roots.
    """
    # A service that is named is not looked for: any picture of the multiplex will do.
    read = build_input(source.model_copy(update={"program": None}) if source.names_program else source, host, field)
    arguments = [
        *("-hide_banner", "-nostats", "-loglevel", "error", "-progress", "pipe:1"),
        *read.args,
        *("-map", read.video, "-c", "copy", "-t", str(LOOK_S), "-f", "null", "-"),
    ]
    return command_on(source, binary, arguments)


def command_on(source: Source, binary: Binary, arguments: Sequence[str], program: Path | None = None) -> Command:
    """A command that reads one source.

    Args:
        source: The source.
        binary: The FFmpeg in use.
        arguments: What it is told.
        program: Another program to run, such as its ffprobe.
    """
    argv = (str(program or binary.path), *arguments)
    return Command(argv, {**ENVIRONMENT, **binary.environment}, secrets_of([source.address]))


def is_there(said: bytes) -> bool:
    """Whether a probe saw a picture.

    Args:
        said: Its standard output.
    """
    blocks = ProgressParser().feed(said)
    return bool(blocks and blocks[-1].frame)
