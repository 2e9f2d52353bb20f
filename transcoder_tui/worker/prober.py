"""Tests the better sources of channels that are on a backup, beside the channel and not through it."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from transcoder_tui.errors import TranscoderError
from transcoder_tui.ffmpeg.probe import build_probe, is_there
from transcoder_tui.worker.context import Context
from transcoder_tui.worker.errand import run_errand
from transcoder_tui.worker.run import ChannelRun

AT_ONCE = 4
"""Tests at the same time, so that a lost uplink of a full rack is no storm of them."""
TIMEOUT_S = 15
"""Seconds after which a test has failed; FFmpeg itself gives up after some 6 s of silence."""

log = logging.getLogger(__name__)


class Prober:
    """Tests sources.

    Args:
        runs: Gives every channel's run.
        context: The worker.
    """

    def __init__(self, runs: Callable[[], Iterable[ChannelRun]], context: Context) -> None:
        self._runs = runs
        self._context = context
        self._free = asyncio.Semaphore(AT_ONCE)

    async def keep(self) -> None:
        """Tests at the interval that is set, for ever."""
        while True:
            await asyncio.sleep(self._context.settings.sources.probe_every_s)
            due = [(run, source) for run in self._runs() for source in run.sources_to_test()]
            await asyncio.gather(*(self._test(run, source) for run, source in due))

    async def _test(self, run: ChannelRun, source: int) -> None:
        async with self._free:
            if source not in run.sources_to_test():
                return
            run.failover.testing(source)
            try:
                command = build_probe(
                    run.spec.sources[source], f"sources[{source}]", self._context.binary(), self._context.host()
                )
                good = is_there((await run_errand(command, TIMEOUT_S)).output)
            except (TranscoderError, OSError) as error:
                log.debug("%s: source %s could not be tested: %s", run.spec.name, source + 1, error)
                good = False
            run.failover.tested(source, asyncio.get_running_loop().time(), good=good)
