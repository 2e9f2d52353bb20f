"""Looks after the files that a running channel writes, beside the event loop."""

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from transcoder_tui.errors import TranscoderError
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.worker.disk import Disk
from transcoder_tui.worker.masters import Masters
from transcoder_tui.worker.outputs import Findings, OutputFault, is_on_disk, keep, tend, tend_subtitles

EVERY_S = 10.0
"""Seconds between two looks; each takes 0.2 to 0.8 ms of a processor (measured)."""
EARLY_S = 2.0
"""The same for the first looks: FFmpeg writes the master playlist after the first segment, and then no more."""
EARLY = 10
"""How many those are; the first segment is there by then, as a rule."""
SPREAD = 0.2
"""Share by which that varies, so that many channels are not looked at in one moment."""
HANGING_S = 60.0
"""The same where the disk did not answer: each look at it may cost a thread until it does."""
log = logging.getLogger(__name__)


class Upkeep:
    """Looks after the files of one run.

    Args:
        spec: The channel as it runs.
        host: This machine at the start of the run.
        disk: Does what a hanging disk would hold up.
        learn: Takes in what was found.
        adopted: Whether it ran before this worker, as many may have that are adopted at once.
    """

    def __init__(
        self,
        spec: ChannelSpec,
        host: HostFacts,
        disk: Disk,
        learn: Callable[[Findings], None],
        *,
        adopted: bool = False,
    ) -> None:
        self._spec = spec
        self._host = host
        self._disk = disk
        self._learn = learn
        self._masters = Masters()
        self._task: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._listing: asyncio.Task[None] | None = None
        self._lists = any(source.subtitles for source in spec.sources) and any(
            output.address.scheme == "hls" for output in spec.outputs
        )
        self._names = [output.address.masked for output in spec.outputs if is_on_disk(output)]
        self._looks = EARLY if adopted else 0
        self._wait_s = random.uniform(0, EVERY_S) if adopted else 0.0
        self._due: float | None = None if self._names else math.inf

    def poll(self, now: float) -> None:
        """Begins a look where one is due (monotonic seconds); called once a second, which subtitles need."""
        if self._lists and (self._listing is None or self._listing.done()):
            self._listing = asyncio.get_running_loop().create_task(self._ask(tend_subtitles))
        if self._due is None:
            self._due = now + self._wait_s
        if now < self._due or (self._task is not None and not self._task.done()):
            return
        self._looks += 1
        every = EARLY_S if self._looks <= EARLY else EVERY_S
        self._due = now + every * random.uniform(1 - SPREAD, 1 + SPREAD)
        self._task = asyncio.get_running_loop().create_task(self._look())

    def keep(self) -> None:
        """Keeps what playlists and manifests say now, for the end of FFmpeg may empty them; waits for nothing."""
        if self._names:
            self._keeping = asyncio.get_running_loop().create_task(self._ask(keep))

    async def _ask(self, done: Callable[[ChannelSpec, HostFacts], None]) -> None:
        with suppress(TimeoutError, OSError, TranscoderError):
            await self._disk.ask(partial(done, self._spec, self._host))

    def close(self) -> None:
        """Ends it without waiting."""
        for task in (self._task, self._listing):
            if task is not None:
                task.cancel()

    async def _look(self) -> None:
        try:
            self._learn(await self._disk.ask(partial(tend, self._spec, self._host, self._masters, time.time())))
        except TimeoutError:
            self._due = (self._due or 0.0) + HANGING_S
            remedy = "look at the disks and network mounts that the channel writes to"
            fault = OutputFault(", ".join(self._names), "the disk does not answer", remedy)
            self._learn(Findings((fault,)))
        except TranscoderError:
            # Adopted from a time with other roots: what it writes outside of today's is not for us to look after.
            self._due = math.inf
        except Exception:
            log.exception("%s: its files could not be looked after", self._spec.name)
