"""The CPUs of this machine."""

from pathlib import Path

from transcoder_tui.models.units import cpus_of

ONLINE = Path("/sys/devices/system/cpu/online")
"""Those that are switched on, written as ``0-3,8``: cputopology of the kernel's documentation."""


def online_cpus() -> frozenset[int]:
    """Numbers of the CPUs that processes can run on; none where the kernel does not tell."""
    try:
        return cpus_of(ONLINE.read_text().strip())
    except (OSError, ValueError):
        return frozenset()
