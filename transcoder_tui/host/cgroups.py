"""Where cgroup v2 lets us put a ceiling on the memory of single processes: cgroups(7), and systemd's CGROUP_DELEGATION.

Only looks; what is done there is in ``worker/cgroup.py``.
"""

import hashlib
import os
from pathlib import Path

OWN = "worker"
"""Name of the cgroup that keeper and worker move into: one whose children are limited may hold no processes itself."""
_MARKS = (("environ", b"TRANSCODER_RUN_ID="), ("cmdline", b"transcoder_tui"))
"""By what a process of ours is known: FFmpeg by its environment, keeper and worker by their modules."""
_UNIFIED = "on a host with systemd, boot with systemd.unified_cgroup_hierarchy=1"
_DELEGATE = "give its systemd unit (254 or later) Delegate=memory, DelegateSubgroup=worker and ProtectControlGroups=no"
_UNITS = (".service", ".scope")


class NoGround(Exception):
    """There is none.

    Args:
        why: In the operator's words.
        remedy: What would give us one.
    """

    def __init__(self, why: str, remedy: str) -> None:
        self.why = why
        self.remedy = remedy
        super().__init__(why)


def find_ground(pid: int, run_path: Path) -> Path:
    """The cgroup below which a worker may limit the memory of its channels; it need not exist yet.

    That is its own cgroup where nothing else lives in it and we may write there, as in a container. Under systemd it
    is that of the unit, if it is delegated and systemd itself starts the keeper in :data:`OWN`: FFmpegs outlive the
    unit's stop, and in a cgroup whose children are limited systemd could not start it again ("Failed to attach to
    cgroup: Device or resource busy", systemd 252). Outside of systemd's services root may begin a tree of its own.

    Args:
        pid: The worker, its keeper, or a process that would start them.
        run_path: The run directory, which tells this installation from others on the host.

    Raises:
        NoGround: Where there is none.
    """
    mount = cgroup2_mount(_text(Path("/proc/self/mounts")))
    place = own_path(_text(Path(f"/proc/{pid}/cgroup")))
    if mount is None or place is None:
        raise NoGround("this host has no cgroup v2", _UNIFIED)
    if "memory" not in words(mount / "cgroup.controllers"):
        raise NoGround("memory is not in cgroup v2 here, but in v1 or switched off", _UNIFIED)
    own = mount / place.lstrip("/")
    if own.name == OWN and _is_ours(own.parent):
        return own.parent
    unit = next((part for part in reversed(own.parts) if part.endswith(_UNITS)), "")
    if unit.endswith(".service"):
        raise NoGround(f"the systemd unit {unit} does not leave its cgroup to us", _DELEGATE)
    if _is_ours(own):
        return own
    if os.geteuid() == 0 and os.access(mount, os.W_OK):
        return mount / f"transcoder-tui-{hashlib.sha256(os.fsencode(run_path)).hexdigest()[:8]}"
    raise NoGround(f"the cgroup {place} is not ours to divide", _DELEGATE)


def cgroup2_mount(mounts: str) -> Path | None:
    """Where cgroup v2 is mounted; None where it is not.

    Args:
        mounts: The text of ``/proc/self/mounts``.
    """
    found = [fields[1] for line in mounts.splitlines() if len(fields := line.split(" ")) > 2 and fields[2] == "cgroup2"]
    return Path(found[0]) if found else None


def own_path(text: str) -> str | None:
    """The path of a process's cgroup below the mount point, cgroups(7); None where there is no cgroup v2.

    Args:
        text: Of ``/proc/PID/cgroup``.
    """
    return next((line.removeprefix("0::") for line in text.splitlines() if line.startswith("0::")), None)


def words(file: Path) -> list[str]:
    """The words in a file of a cgroup; none where it cannot be read."""
    return _text(file).split()


def _is_ours(cgroup: Path) -> bool:
    """Whether a cgroup can be divided by us: memory reaches it, we may write there, and nobody else lives in it."""
    writable = all(os.access(cgroup / file, os.W_OK) for file in ("", "cgroup.procs", "cgroup.subtree_control"))
    if not writable or "memory" not in words(cgroup / "cgroup.controllers"):
        return False
    # What systemd did not delegate it keeps in order itself, even where its owner or root may write there.
    delegated = not cgroup.name.endswith(_UNITS) or _is_delegated(cgroup)
    return delegated and all(map(_is_our, words(cgroup / "cgroup.procs")))


def _is_delegated(cgroup: Path) -> bool:
    """Whether it bears systemd's mark of ``Delegate=``."""
    try:
        return os.getxattr(cgroup, "user.delegate") == b"1"
    except OSError:
        return False


def _is_our(pid: str) -> bool:
    try:
        return any(mark in Path(f"/proc/{pid}/{file}").read_bytes() for file, mark in _MARKS)
    except OSError:
        return False


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
