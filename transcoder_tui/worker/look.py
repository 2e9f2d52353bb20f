"""One look into a source: its description by ffprobe or FFmpeg, then a measurement."""

import asyncio
import logging

from transcoder_tui.errors import SourceFault
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import Command
from transcoder_tui.ffmpeg.diagnosis import Verdict
from transcoder_tui.ffmpeg.dump import read_dump
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.ffprobe import find_ffprobe, read_ffprobe
from transcoder_tui.ffmpeg.inspection import (
    ANALYSE_US,
    Read,
    build_description,
    build_ffprobe,
    build_measurement,
    is_worth_measuring,
    measured,
)
from transcoder_tui.models.probe import Probe
from transcoder_tui.models.source import Source
from transcoder_tui.worker.errand import Said, run_errand

LEAST_S = 2.0
"""Seconds that must be left for it to be worth opening a source once more."""
OVER_TIME = 124
"""Exit code of a command that came to its time limit."""
AT_OWN_PACE = ("udp", "srt")
"""Schemes whose bytes FFmpeg counts as they arrive."""

log = logging.getLogger(__name__)


class Look:
    """One look into one source.

    Args:
        source: The source.
        binary: The FFmpeg in use.
        host: This machine.
        time_s: Seconds at most.
        analyse_us: Microseconds of media in which a description looks for streams.
    """

    def __init__(
        self, source: Source, binary: Binary, host: HostFacts, time_s: float, analyse_us: int = ANALYSE_US
    ) -> None:
        self._source = source
        self._binary = binary
        self._host = host
        self._time_s = time_s
        self._analyse_us = analyse_us
        self._ends_at = asyncio.get_running_loop().time() + time_s

    @property
    def left_s(self) -> float:
        """Seconds until the time is over."""
        return self._ends_at - asyncio.get_running_loop().time()

    async def result(self) -> Probe:
        """What it carries, with what was counted and seen where the time sufficed for it.

        Raises:
            HostFault: Where this machine lacks the interface.
            InvalidInput: Where a file lies outside the media roots.
            OSError: Where no program can be started.
            SourceFault: Where it cannot be read, with why.
        """
        if not _opens_twice(self._source):
            said = await self._run(build_measurement(self._source, None, self._binary, self._host))
            # How long it waited for its peer is not known.
            return self._measured(self._described(said), said, at_own_pace=False)
        found = await self.description()
        if self.left_s < LEAST_S or not is_worth_measuring(found):
            return found
        said = await self._run(build_measurement(self._source, found, self._binary, self._host))
        return self._measured(found, said, at_own_pace=self._source.address.scheme in AT_OWN_PACE)

    async def description(self) -> Probe:
        """What it carries as its tables say: by ffprobe, where it is there and does not crash, else by FFmpeg.

        Raises:
            HostFault: Where this machine lacks the interface.
            InvalidInput: Where a file lies outside the media roots.
            OSError: Where no program can be started.
            SourceFault: Where it cannot be read, with why.
        """
        ffprobe = find_ffprobe(self._binary)
        command = ffprobe and build_ffprobe(self._source, ffprobe, self._binary, self._host, self._analyse_us)
        if command:
            said = await self._run(command)
            if found := read_ffprobe(said.output, self._source.words):
                return found
            if said.exit_code >= 0:
                raise self._failure(said)
            log.warning("%s crashed with signal %s and is not used", ffprobe, -said.exit_code)
        command = build_description(self._source, self._binary, self._host, self._analyse_us)
        return self._described(await self._run(command))

    def _described(self, said: Said) -> Probe:
        found = read_dump(said.log, self._source.words)
        if found is None:
            raise self._failure(said)
        return found

    def _measured(self, found: Probe, said: Said, *, at_own_pace: bool) -> Probe:
        return measured(found, Read(said.output, said.log, said.took_s), at_own_pace=at_own_pace)

    async def _run(self, command: Command) -> Said:
        return await run_errand(command, max(0.1, self.left_s))

    def _failure(self, said: Said) -> SourceFault:
        words = self._source.address.masked
        verdict = Verdict(words, self._source.address.secrets)
        for line in said.log.splitlines():
            verdict.feed(line)
        seen = verdict.so_far()
        if seen is None and said.exit_code == OVER_TIME:
            return SourceFault(
                f"nothing was found in {words} within {self._time_s:g} s",
                "check that it is on air and not scrambled, or give it more time",
            )
        seen = seen or verdict.result(said.exit_code, ours=False)
        return SourceFault(seen.cause, seen.remedy)


def _opens_twice(source: Source) -> bool:
    """Whether a source can be opened once more and is the same then.

    Where we wait for a peer, it may not call again; over RTP, FFmpeg shows no PIDs and numbers the streams in the order
    in which they happen to arrive.
    """
    if source.address.scheme == "rtp":
        return False
    return source.listens_on is None or source.listens_on.startswith("udp://")
