"""What channels cost on this machine, and whether it has it left."""

import os
import time
from collections.abc import Collection, Mapping

from transcoder_tui.errors import HostFault
from transcoder_tui.ffmpeg.benchmark import encoder_names
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.models.capacity import Capacity, Cost, cost_of, unmeasured
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.worker.capacity import kept, staleness
from transcoder_tui.worker.context import Context
from transcoder_tui.worker.run import ChannelRun


class Budget:
    """The cores of this machine, as of now.

    Args:
        runs: Every channel's run, by its id.
        context: The worker.
        without: Channels whose share counts as free, because they are about to change or to go.
    """

    def __init__(self, runs: Mapping[int, ChannelRun], context: Context, without: Collection[int] = ()) -> None:
        self.cores = os.cpu_count() or 1
        now = time.monotonic()
        used = sum(run.figures(now).cpu_percent or 0.0 for run in runs.values() if run.id not in without) / 100
        self.left = round(max(0.0, self.cores - used), 2)
        """Cores that the other channels on air leave."""
        self._binary, self._tested = _usable(context), context.host().tested
        self._capacity: Capacity | None = kept(context.settings.capacity)
        self._stale = staleness(self._capacity, self._binary) if self._capacity is not None else ""

    def cost(self, spec: ChannelSpec) -> Cost:
        """What a channel will cost; how to measure where that is not known."""
        if self._capacity is None or self._binary is None:
            return unmeasured(self.cores, self.left)
        names = encoder_names(spec, self._binary, self._tested)
        found = cost_of(spec, self._capacity, names, self.left)
        return found.model_copy(update={"notes": [*found.notes, *([self._stale] if self._stale else [])]})


def _usable(context: Context) -> Binary | None:
    try:
        return context.binary()
    except HostFault:
        return None
