"""Looks into sources that an operator asks about."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from transcoder_tui.errors import HostFault, SourceFault
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import Command
from transcoder_tui.ffmpeg.diagnosis import Verdict
from transcoder_tui.ffmpeg.dump import read_dump
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.ffprobe import find_ffprobe, read_ffprobe
from transcoder_tui.ffmpeg.inspection import (
    Read,
    build_description,
    build_ffprobe,
    build_measurement,
    is_worth_measuring,
    measured,
)
from transcoder_tui.models.probe import Probe
from transcoder_tui.models.source import Source
from transcoder_tui.worker import sources
from transcoder_tui.worker.errand import Said, run_errand
from transcoder_tui.worker.run import ChannelRun

AT_ONCE = 4
"""Probes at the same time: each may decode and count a whole multiplex."""
LEAST_S = 2.0
"""Seconds that must be left for it to be worth opening a source once more."""
OVER_TIME = 124
"""Exit code of a command that came to its time limit."""
AT_OWN_PACE = ("udp", "srt")
"""Schemes whose bytes FFmpeg counts as they arrive."""

log = logging.getLogger(__name__)


class Inspector:
    """Probes sources on request.

    Args:
        runs: Gives every channel's run.
        binary: Gives the FFmpeg in use; raises HostFault where there is none.
        host: Gives the facts of this machine as of now.
    """

    def __init__(
        self,
        runs: Callable[[], Iterable[ChannelRun]],
        binary: Callable[[], Binary],
        host: Callable[[], HostFacts],
    ) -> None:
        self._runs = runs
        self._binary = binary
        self._host = host
        self._busy = 0

    async def inspect(self, source: Source, time_s: float) -> Probe:
        """What a source carries.

        Args:
            source: The source.
            time_s: Seconds at most.

        Raises:
            HostFault: Where this machine lacks the interface, or FFmpeg.
            InvalidInput: Where a file lies outside the media roots.
            SourceFault: Where it cannot be read, with why.
        """
        self._refuse_taken(source)
        async with self._turn():
            look = _Look(source, self._binary(), self._host(), time_s)
            try:
                return await look.result()
            except OSError as error:
                raise HostFault(
                    f"no program can be started to look into the source: {error.strerror}",
                    "free some memory, or stop other programs",
                ) from None

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._busy >= AT_ONCE:
            raise SourceFault(f"{AT_ONCE} probes run already", "try again when one of them has ended")
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    def _refuse_taken(self, source: Source) -> None:
        """Refuses a port on which a channel receives: FFmpeg would only say that it cannot be bound."""
        wanted = source.listens_on
        for run in self._runs() if wanted else ():
            if run.process is None:
                continue
            active = run.spec.sources[sources.active(run.job, run.spec)]
            if active.listens_on == wanted:
                raise SourceFault(
                    f"{wanted} is in use: channel {run.spec.name} receives on it",
                    "only one program can receive on it; look at that channel, or stop it to probe its source",
                )


class _Look:
    """One look into one source."""

    def __init__(self, source: Source, binary: Binary, host: HostFacts, time_s: float) -> None:
        self._source = source
        self._binary = binary
        self._host = host
        self._time_s = time_s
        self._ends_at = asyncio.get_running_loop().time() + time_s

    @property
    def _left_s(self) -> float:
        return self._ends_at - asyncio.get_running_loop().time()

    async def result(self) -> Probe:
        if not _opens_twice(self._source):
            said = await self._run(build_measurement(self._source, None, self._binary, self._host))
            return self._measured(self._described(said), said)
        found = await self._description()
        if self._left_s < LEAST_S or not is_worth_measuring(found):
            return found
        return self._measured(found, await self._run(build_measurement(self._source, found, self._binary, self._host)))

    async def _description(self) -> Probe:
        """By ffprobe, where it is there and does not crash, else by FFmpeg."""
        ffprobe = find_ffprobe(self._binary)
        command = ffprobe and build_ffprobe(self._source, ffprobe, self._binary, self._host)
        if command:
            said = await self._run(command)
            if found := read_ffprobe(said.output, self._source.words):
                return found
            if said.exit_code >= 0:
                raise self._failure(said)
            log.warning("%s crashed with signal %s and is not used", ffprobe, -said.exit_code)
        return self._described(await self._run(build_description(self._source, self._binary, self._host)))

    def _described(self, said: Said) -> Probe:
        found = read_dump(said.log, self._source.words)
        if found is None:
            raise self._failure(said)
        return found

    def _measured(self, found: Probe, said: Said) -> Probe:
        read = Read(said.output, said.log, said.took_s)
        return measured(found, read, at_own_pace=self._source.address.scheme in AT_OWN_PACE)

    async def _run(self, command: Command) -> Said:
        return await run_errand(command, max(0.1, self._left_s))

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
    """Whether a source can be opened once more right after it was closed: not so where we wait for a peer to call."""
    return source.listens_on is None or source.listens_on.startswith("udp://")
