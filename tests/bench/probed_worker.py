"""A worker that tells how long its event loop is away: the real daemon, with a probe in the loop's selector.

Started by the keeper in place of ``python -m transcoder_tui.daemon``. From the moment at which the selector returned
until it is asked again, the loop can neither answer a client nor see an FFmpeg end; that time is the gap. Four readings
of clocks a turn are all that it costs.

The figures lie in the file that ``BENCH_PROBE`` names, see :data:`FIGURES`; writing zeros begins a new window. USR1
turns a profile on; USR2 turns it off and writes it to that file's name with ``.profile`` added.
"""

import cProfile
import mmap
import os
import selectors
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any

FIGURES = struct.Struct("dd")
"""The longest gap in seconds, and the most CPU seconds that the loop's thread used in one gap: what is longer than that
was spent waiting for the database's thread, the disk, or other programs."""


def read_figures(path: Path) -> tuple[float, float]:
    """The figures of the window so far."""
    longest, most_cpu = FIGURES.unpack(path.read_bytes())
    return longest, most_cpu


def reset_figures(path: Path) -> None:
    """Begins a new window."""
    with path.open("r+b") as file:
        file.write(bytes(FIGURES.size))


def _probed(figures: "memoryview[float]") -> type[selectors.BaseSelector]:
    now, cpu = time.perf_counter, time.thread_time

    class ProbedSelector(selectors.DefaultSelector):
        returned, used = now(), cpu()

        def select(self, timeout: float | None = None) -> Any:
            gap, used = now() - self.returned, cpu() - self.used
            if gap > figures[0]:
                figures[0] = gap
            if used > figures[1]:
                figures[1] = used
            try:
                return super().select(timeout)
            finally:
                self.returned, self.used = now(), cpu()

    return ProbedSelector


def _profile_on_signals(path: str) -> None:
    profile = cProfile.Profile()
    signal.signal(signal.SIGUSR1, lambda *_: profile.enable())

    def end(*_: object) -> None:
        profile.disable()
        profile.dump_stats(path + ".unfinished")
        Path(path + ".unfinished").replace(path)

    signal.signal(signal.SIGUSR2, end)


def main() -> int:
    named = os.environ["BENCH_PROBE"]
    with Path(named).open("r+b") as file:
        memory = mmap.mmap(file.fileno(), FIGURES.size)
    # asyncio takes its selector from here.
    selectors.DefaultSelector = _probed(memoryview(memory).cast("d"))  # type: ignore[misc, assignment]
    _profile_on_signals(named + ".profile")
    from transcoder_tui.daemon import main as daemon

    return daemon()


if __name__ == "__main__":
    sys.exit(main())
