"""The CPUs of this machine."""

import platform
from pathlib import Path

from transcoder_tui.models.units import cpus_of

ONLINE = Path("/sys/devices/system/cpu/online")
"""Those that are switched on, written as ``0-3,8``: cputopology of the kernel's documentation."""
INFO = Path("/proc/cpuinfo")
"""proc(5)."""


def online_cpus() -> frozenset[int]:
    """Numbers of the CPUs that processes can run on; none where the kernel does not tell."""
    try:
        return cpus_of(ONLINE.read_text().strip())
    except (OSError, ValueError):
        return frozenset()


def cpu_model() -> str:
    """What the CPUs call themselves; on machines whose kernel does not say it, their architecture."""
    try:
        lines = INFO.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
