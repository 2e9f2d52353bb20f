"""Starts the FFmpeg of a channel: command, directories, process."""

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from transcoder_tui.errors import HostFault, SourceFault, TranscoderError
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import Command, HostFacts, build_command, chosen_encoders
from transcoder_tui.ffmpeg.diagnosis import Diagnosis
from transcoder_tui.ffmpeg.plan import plan_streams
from transcoder_tui.ffmpeg.side import Side
from transcoder_tui.ffmpeg.texts import Text
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import Severity
from transcoder_tui.models.view import PictureEncoder
from transcoder_tui.worker import outputs, readiness
from transcoder_tui.worker.cgroup import Leaf
from transcoder_tui.worker.context import Context
from transcoder_tui.worker.limits import Limits
from transcoder_tui.worker.process import DIGEST, ENCODERS, RUN_ID, SOURCE, Process, spawn
from transcoder_tui.worker.resolution import resolved
from transcoder_tui.worker.rundir import RunDir

log = logging.getLogger(__name__)
_ENCODERS = TypeAdapter(list[PictureEncoder])


class CannotStart(Exception):
    """FFmpeg could not be started.

    Args:
        diagnosis: Why.
    """

    def __init__(self, diagnosis: Diagnosis) -> None:
        self.diagnosis = diagnosis
        super().__init__(diagnosis.cause)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An FFmpeg that is ready to be started."""

    command: Command
    host: HostFacts
    """This machine as the command was built for it."""
    spec: ChannelSpec
    source: int
    """Position of the source that it will read."""
    run_id: str
    encoders: tuple[PictureEncoder, ...]
    """What encodes its pictures."""

    def start(self, run_dir: RunDir, stderr: Path, leaf: Leaf | None) -> Process:
        """Starts it.

        Args:
            run_dir: The channel's run directory.
            stderr: The file that FFmpeg's log goes to.
            leaf: The cgroup that holds its memory limit, where it has one.

        Raises:
            CannotStart: With the reason.
        """
        with _reasons(self.spec):
            identity = {RUN_ID: self.run_id, DIGEST: digest(self.spec), SOURCE: str(self.source)}
            identity[ENCODERS] = json.dumps([encoder.model_dump(exclude_defaults=True) for encoder in self.encoders])
            return spawn(self.command, run_dir, identity, stderr, Limits.of(self.spec), leaf)


async def prepare(spec: ChannelSpec, source: int, run_id: str, context: Context) -> Prepared:
    """Builds the command of a channel, tests its encoders where that was not done yet, and makes its directories.

    Args:
        spec: The channel.
        source: Position of the source to read.
        run_id: Tells this run from every other.
        context: The worker.

    Raises:
        CannotStart: With the reason, and whether it can heal by itself.
    """
    try:
        binary = context.binary()
    except HostFault as error:
        raise _refused(error, heals=False) from None
    with _reasons(spec):
        await context.hardware.test_for(spec, binary)
        host = context.host()
        encoders = _encoders(spec, binary, host)
        found = await resolved(spec, source, binary, host)
        command = build_command(found.spec, binary, host, source, found.codecs, found.texts)
        try:
            await context.preflights.require(spec, digest(spec), binary, host)
        except TranscoderError as error:
            context.hardware.distrust(frozenset(one.encoder for one in encoders), str(error.faults[0].fault))
            raise
        await context.disk.ask(partial(_prepare_files, spec, source, host, found.texts))
        return Prepared(command, host, spec, source, run_id, encoders)


def _encoders(spec: ChannelSpec, binary: Binary, host: HostFacts) -> tuple[PictureEncoder, ...]:
    plan = plan_streams(spec)
    return tuple(
        PictureEncoder(
            rendition=rendition.name,
            encoder=choice.encoder.name,
            reason=choice.reason,
            fallback=bool(choice.reason) and rendition.video.encoder != "auto",
        )
        for rendition, choice in zip(plan.renditions, chosen_encoders(plan, binary, host), strict=True)
        if choice is not None
    )


def encoders_of(process: Process) -> list[PictureEncoder]:
    """What encodes the pictures of an FFmpeg, whichever worker started it; empty where it does not tell."""
    try:
        return _ENCODERS.validate_json(process.identity.get(ENCODERS, ""))
    except ValidationError:
        return []


def _prepare_files(spec: ChannelSpec, source: int, host: HostFacts, texts: Sequence[Text]) -> None:
    readiness.require_confined(spec, source, host)
    outputs.prepare(spec, host, texts)


@contextmanager
def _reasons(spec: ChannelSpec) -> Iterator[None]:
    try:
        yield
    except TranscoderError as error:
        raise _refused(error, heals=isinstance(error, HostFault | SourceFault)) from None
    except TimeoutError:
        fault = TranscoderError(
            "the disk of an output does not answer", "look at the disks and network mounts that the channel writes to"
        )
        raise _refused(fault, heals=True) from None
    except Exception as error:
        log.exception("%s: starting it failed", spec.name)
        fault = TranscoderError(f"FFmpeg could not be started: {error}", "see the worker's log")
        raise _refused(fault, heals=True) from None


def digest(spec: ChannelSpec) -> str:
    """Tells one document from another as far as FFmpeg is concerned, without telling what is in it."""
    return hashlib.sha256(json.dumps(spec.on_air_part(), sort_keys=True).encode()).hexdigest()[:16]


def _refused(error: TranscoderError, *, heals: bool) -> CannotStart:
    fault = error.faults[0]
    where = f"{fault.field}: " if fault.field else ""
    side = Side.SOURCE if fault.field.startswith("sources[") else Side.HOST
    return CannotStart(
        Diagnosis(Severity.ERROR, f"{where}{fault.fault}", fault.remedy, heals=heals, fatal=True, side=side)
    )
