"""The files by which a run survives its worker: lock, pid, progress, and how much of its stderr was read."""

import fcntl
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunDir:
    """The run directory of one channel, on tmpfs where there is one."""

    path: Path

    @classmethod
    def of(cls, run_path: Path, channel_id: int) -> "RunDir":
        """The directory of a channel; it is made when it is first needed."""
        return cls(run_path / "channels" / str(channel_id))

    @classmethod
    def all(cls, run_path: Path) -> dict[int, "RunDir"]:
        """Every channel's directory that is there, by the channel's id."""
        found = (run_path / "channels").glob("*") if (run_path / "channels").is_dir() else ()
        return {int(path.name): cls(path) for path in found if path.name.isdigit()}

    @property
    def lock_file(self) -> Path:
        """Held by FFmpeg as long as it lives."""
        return self.path / "lock"

    @property
    def pidfile(self) -> Path:
        """Written by the shell that becomes FFmpeg, before it does."""
        return self.path / "pid"

    @property
    def progress(self) -> Path:
        """FFmpeg appends its progress blocks here."""
        return self.path / "progress"

    @property
    def stderr_offset(self) -> Path:
        """How many bytes of FFmpeg's stderr are in the channel's log already."""
        return self.path / "stderr.offset"

    @property
    def damage(self) -> Path:
        """How much of FFmpeg's source was lost or damaged so far."""
        return self.path / "damage"

    def lock(self) -> int | None:
        """Takes the run's lock, which FFmpeg inherits and holds as long as it lives.

        Returns:
            The descriptor that holds it, or None where an FFmpeg of this channel is still running.
        """
        self.path.mkdir(mode=0o750, parents=True, exist_ok=True)
        descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def is_held(self) -> bool:
        """Whether an FFmpeg of this channel is running, whoever started it."""
        if not self.lock_file.exists():
            return False
        descriptor = self.lock()
        if descriptor is None:
            return True
        os.close(descriptor)
        return False

    def remove(self) -> None:
        """Removes what the runs of a deleted channel left; a lock that is still held stays."""
        if not self.is_held():
            shutil.rmtree(self.path, ignore_errors=True)

    def last_progress(self) -> datetime | None:
        """When FFmpeg last wrote a progress block (UTC); None where it left none."""
        try:
            return datetime.fromtimestamp(self.progress.stat().st_mtime, UTC)
        except OSError:
            return None

    def pid(self) -> int | None:
        """The pid of the last FFmpeg started here, running or not."""
        try:
            return int(self.pidfile.read_text())
        except (OSError, ValueError):
            return None
