"""A disk of some megabytes on which a test may do what it likes."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class SmallDisk:
    """A mounted tmpfs.

    Args:
        path: Where it is mounted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def _ballast(self) -> Path:
        return self.path / "ballast"

    def fill(self) -> None:
        """Leaves not a byte free."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                with suppress(OSError):
                    while file.write(b"x" * size):
                        pass

    def free(self) -> None:
        """Frees what :meth:`fill` took."""
        self._ballast.unlink(missing_ok=True)

    def read_only(self, *, now: bool) -> None:
        """Mounts it anew, to be written or not.

        Raises:
            OSError: Where the kernel refuses, because files are open for writing.
        """
        done = subprocess.run(["mount", "-o", f"remount,{'ro' if now else 'rw'}", self.path], check=False)
        if done.returncode:
            raise OSError(f"{self.path} cannot be mounted anew")


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[SmallDisk | None]:
    """Mounts a small disk; None where that is not permitted."""
    path.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}M,mode=0750"
    if os.geteuid() != 0 or shutil.which("mount") is None:
        yield None
        return
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=False, capture_output=True
    ).returncode:
        yield None
        return
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=False)
