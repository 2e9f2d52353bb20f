"""Looks into sources that an operator asks about."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from transcoder_tui.errors import HostFault, SourceFault
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.models.probe import Probe
from transcoder_tui.models.source import Source
from transcoder_tui.worker import sources
from transcoder_tui.worker.look import Look
from transcoder_tui.worker.run import ChannelRun

AT_ONCE = 4
"""Probes at the same time: each may decode and count a whole multiplex."""


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
            look = Look(source, self._binary(), self._host(), time_s)
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
