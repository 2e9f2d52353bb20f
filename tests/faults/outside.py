"""Looks at an installation from outside, as an operator with a shell would: processes, progress files, log sizes."""

import os
import re
import threading
import time
from contextlib import suppress
from pathlib import Path

import procfs

from transcoder_tui.settings import Settings
from transcoder_tui.worker.process import LOCK_FD, RUN_ID, environment

LOOK_S = 0.05
"""Between two looks at the progress files; at processes and logs it looks every fifth time."""
TAIL = 1500
"""Bytes from the end of a progress file: some five blocks."""
_MEDIA_TIME = re.compile(rb"^(?:frame|out_time_us|total_size)=\d+\n", re.MULTILINE)


class Outside:
    """Watches an installation from a thread of its own.

    Args:
        settings: Of the installation.
        period_s: Seconds between two progress blocks of a healthy FFmpeg.
    """

    def __init__(self, settings: Settings, period_s: float) -> None:
        self.period_s = period_s
        self.doubles: list[tuple[int, list[int]]] = []
        """Channels that had two FFmpegs, with their pids."""
        self.log_sizes: dict[str, int] = {}
        """The largest size that each log ever had, in bytes."""
        self._run_path = settings.run_path
        self._data_dir = settings.data_dir
        self._logs = settings.channel_logs
        self._marker: dict[int, bytes] = {}
        self._changed_at: dict[int, float] = {}
        self._longest: dict[int, float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begins to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Ends it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def mark(self) -> None:
        """Forgets the gaps so far."""
        self._longest.clear()

    def outage_s(self, channel_id: int) -> float:
        """The longest time without media since the mark, less the time between two blocks of a healthy FFmpeg."""
        longest = max(self._longest.get(channel_id, 0.0), self.quiet_s(channel_id))
        outage = longest - self.period_s
        # Blocks come a little late now and then.
        return round(outage, 1) if outage >= 0.1 else 0.0

    def quiet_s(self, channel_id: int) -> float:
        """Seconds since media was last seen to advance; a long time where it never was."""
        return time.monotonic() - self._changed_at.get(channel_id, time.monotonic() - 1e6)

    def holders(self) -> dict[int, list[int]]:
        """The processes that hold each channel's lock as an FFmpeg does."""
        found: dict[int, list[int]] = {}
        prefix = f"{self._run_path}/channels/"
        for pid in procfs.pids():
            target = procfs.link(pid, LOCK_FD)
            if target.startswith(prefix) and target.endswith("/lock") and procfs.is_alive(pid):
                found.setdefault(int(target.removeprefix(prefix).partition("/")[0]), []).append(pid)
        return found

    def ours(self) -> set[int]:
        """Every process of this installation that was started as an FFmpeg of a channel, owned by one or not."""
        homes = (f"{self._run_path}/", f"{self._data_dir}/")
        return {
            pid
            for pid in procfs.pids()
            if any(procfs.link(pid, number).startswith(homes) for number in (2, 3, LOCK_FD))
            and RUN_ID in environment(pid)
            and procfs.is_alive(pid)
        }

    def _watch(self) -> None:
        looks = 0
        while not self._stopping.wait(LOOK_S):
            self._look_at_progress(time.monotonic())
            looks += 1
            if looks % 5 == 0:
                self._look_at_processes()
                self._look_at_logs()

    def _look_at_progress(self, now: float) -> None:
        with suppress(OSError):
            for directory in (self._run_path / "channels").iterdir():
                marker = _media_time(directory / "progress")
                if not directory.name.isdigit() or marker is None:
                    continue
                channel_id = int(directory.name)
                if marker != self._marker.get(channel_id):
                    if channel_id in self._changed_at:
                        gap = now - self._changed_at[channel_id]
                        self._longest[channel_id] = max(gap, self._longest.get(channel_id, 0.0))
                    self._marker[channel_id] = marker
                    self._changed_at[channel_id] = now

    def _look_at_processes(self) -> None:
        for channel_id, pids in self.holders().items():
            # One may have ended and the other begun while all were looked at.
            if len(pids) > 1 and len(again := self.holders().get(channel_id, [])) > 1:
                self.doubles.append((channel_id, again))

    def _look_at_logs(self) -> None:
        with suppress(OSError):
            for path in self._logs.iterdir():
                with suppress(OSError):
                    self.log_sizes[path.name] = max(path.stat().st_size, self.log_sizes.get(path.name, 0))


def _media_time(progress: Path) -> bytes | None:
    """Tells one moment of a run's media from another; None where its progress tells nothing."""
    try:
        with progress.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            found = _MEDIA_TIME.findall(file.read())
    except OSError:
        return None
    return b"".join(found[-3:]) if found else None
