"""The run directory, as keeper, worker and clients share it.

It must be ours alone: whoever else can write to it can lead us to write into files of ours. Standard library only,
because the keeper uses it.
"""

import os
import stat
from pathlib import Path

from transcoder_tui.errors import HostFault

MODE = 0o750
"""Of a run directory."""
KEEPER_LOCK = "keeper.lock"
"""Held by the keeper as long as it lives."""
WORKER_LOCK = "worker.lock"
"""Held by the worker as long as it lives."""
RELOAD_REFUSED = "reload.refused"
"""Why the last reload was not carried out; not there where it was."""
_SETTING = "run_dir"


def own_directory(path: Path) -> None:
    """Makes a run directory, or makes sure of one that is there.

    Root's are ours too, since root could do anything anyway. One that is open to everybody is closed to them; one into
    which everybody could have written is refused, because of what may lie in it by now.

    Raises:
        HostFault: Where it is a symbolic link, belongs to somebody else, or everybody may write to it.
        OSError: Where it cannot be made.
    """
    path.parent.mkdir(mode=MODE, parents=True, exist_ok=True)
    path.mkdir(mode=MODE, exist_ok=True)
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise HostFault(
            f"the run directory {path} is a symbolic link, which somebody could turn elsewhere",
            f"remove it, or set TRANSCODER_RUN_DIR to where it leads: {path.resolve()}",
            _SETTING,
        )
    if found.st_uid not in (os.geteuid(), 0):
        raise HostFault(
            f"the run directory {path} belongs to uid {found.st_uid}, who could mislead this program",
            "remove it, or set TRANSCODER_RUN_DIR to a directory of your own",
            _SETTING,
        )
    if found.st_mode & stat.S_IWOTH:
        raise HostFault(
            f"everybody may write to the run directory {path}, so nothing in it can be trusted",
            f"stop the channels, remove it and start again; or set TRANSCODER_RUN_DIR to a directory of mode {MODE:o}",
            _SETTING,
        )
    if found.st_mode & stat.S_IRWXO and found.st_uid == os.geteuid():
        path.chmod(stat.S_IMODE(found.st_mode) & ~stat.S_IRWXO)
