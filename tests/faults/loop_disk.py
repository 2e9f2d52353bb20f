"""A disk with a file system like a real one's, which can hang and which can fail."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOOLS = ("mkfs.ext4", "fsfreeze", "mount", "umount")


class LoopDisk:
    """A mounted ext4 of 64 MB in a file.

    Args:
        path: Where it is mounted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def freeze(self) -> None:
        """Lets whoever writes to it wait in the kernel: fsfreeze(8)."""
        subprocess.run(["fsfreeze", "--freeze", self.path], check=True)

    def thaw(self) -> None:
        """Lets them go on."""
        subprocess.run(["fsfreeze", "--unfreeze", self.path], check=False, capture_output=True)

    def fail(self) -> None:
        """Makes it read-only under those who have files open, as the kernel does after a disk error: ext4(5)."""
        subprocess.run(["mount", "-o", "remount,abort", self.path], check=True, capture_output=True)


@contextmanager
def loop_disk(path: Path) -> Iterator[LoopDisk | None]:
    """Makes a disk; None where that is not permitted."""
    if os.geteuid() != 0 or not all(map(shutil.which, TOOLS)):
        yield None
        return
    image = path.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(64 << 20)
    path.mkdir()
    for command in (["mkfs.ext4", "-q", image], ["mount", "-o", "loop", image, path]):
        if subprocess.run(command, check=False, capture_output=True).returncode:
            yield None
            return
    disk = LoopDisk(path)
    try:
        yield disk
    finally:
        disk.thaw()
        subprocess.run(["umount", "--lazy", path], check=False, capture_output=True)
