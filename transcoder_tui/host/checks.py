"""What ``transcoder-tui doctor`` finds about this machine, each finding with its remedy."""

import ipaddress
import os
import pwd
import resource
import shlex
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from transcoder_tui.host.cgroups import NoGround, find_ground
from transcoder_tui.host.disks import mount_of
from transcoder_tui.host.interfaces import list_interfaces
from transcoder_tui.host.sampling import disk_space, existing
from transcoder_tui.models.view import Interface
from transcoder_tui.settings import Settings

CHANNELS = 300
"""For how many channels a machine is judged."""
FILES_PER_CHANNEL = 6
"""Open files of the worker for a channel: pidfd, lock, log, progress, and two more while FFmpeg starts."""
FILES_OF_WORKER = 200
"""Open files of the worker itself: database, sockets of clients, libraries."""
RECEIVE_BUFFER = 8_000_000
"""Bytes asked for on each UDP input: with it a pause of 3 s at 8.8 Mb/s lost nothing, with FFmpeg's 384 KiB it did."""
RECEIVE_BUFFER_ADVISED = 16_777_216
"""Bytes that net.core.rmem_max should allow."""
LEAST_FREE = 1_000_000_000
"""Bytes: below this a disk fills within minutes where many HLS outputs write."""
MULTICAST = ipaddress.IPv4Network("239.0.0.0/8")
"""The groups of an organisation's own, RFC 2365."""

_UP, _REJECT = 0x1, 0x200
"""Route flags, linux/route.h."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool | None
    """None is advice: it works, but could work better."""
    finding: str
    remedy: str = ""


@dataclass(frozen=True)
class Route:
    """One line of the routing table."""

    interface: str
    network: ipaddress.IPv4Network
    usable: bool
    """Whether it is up and does not reject."""


def machine_checks(settings: Settings, keeper: int | None = None) -> list[Check]:
    """Looks at this machine: interfaces, multicast, limits and directories.

    Args:
        settings: Which directories.
        keeper: The pid of the running keeper, in whose place this machine is seen; without one, in our own.
    """
    interfaces = list_interfaces()
    routes = parse_routes(_text("/proc/net/route"))
    return [
        check_interfaces(interfaces),
        check_multicast(routes, interfaces),
        check_open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        check_receive_buffer(_text("/proc/sys/net/core/rmem_max")),
        check_memory_ceilings(keeper or os.getpid(), settings.run_path),
        check_directory("data directory", settings.data_dir),
        check_space("disk of the data", settings.data_dir),
        check_directory("HLS root", settings.hls),
        check_space("disk of the HLS root", settings.hls),
        *(check_directory("media root", root) for root in settings.media),
        check_run_directory(settings.run_path, _text("/proc/self/mounts")),
    ]


def check_interfaces(interfaces: Iterable[Interface]) -> Check:
    """Whether there is an interface besides loopback on which channels can receive and send."""
    usable = [entry for entry in interfaces if entry.up and _ipv4(entry)]
    shown = ", ".join(f"{entry.name} {_ipv4(entry)}" for entry in usable) or "none is up with an IPv4 address"
    remedy = "bring one up: ip link set NAME up, ip address add ADDRESS/24 dev NAME"
    if not usable:
        return Check("interfaces", False, shown, remedy)
    if all(_is_loopback(entry) for entry in usable):
        return Check("interfaces", None, f"{shown}; nothing leaves this machine", remedy)
    return Check("interfaces", True, shown)


def check_multicast(routes: Iterable[Route], interfaces: Iterable[Interface]) -> Check:
    """Whether multicast finds its way where an address names no interface."""
    covering = [route for route in routes if route.usable and MULTICAST.subnet_of(route.network)]
    if covering:
        best = max(covering, key=lambda route: route.network.prefixlen)
        via = "the default route" if best.network.prefixlen == 0 else f"the route {best.network}"
        return Check("multicast route", True, f"{MULTICAST} goes by {via} on {best.interface}")
    candidates = [entry for entry in interfaces if entry.up and entry.multicast and _ipv4(entry)]
    device = min(candidates, key=_is_loopback).name if candidates else "NAME"
    return Check(
        "multicast route",
        None,
        f"no route covers {MULTICAST}: addresses without an interface will not work",
        f"ip route add {MULTICAST} dev {device}, or name the interface of each source and output, which needs no route",
    )


def check_open_files(soft_limit: int) -> Check:
    """Whether the worker may open enough files.

    Args:
        soft_limit: RLIMIT_NOFILE.
    """
    needed = CHANNELS * FILES_PER_CHANNEL + FILES_OF_WORKER
    if soft_limit == resource.RLIM_INFINITY or soft_limit >= needed:
        shown = "no limit" if soft_limit == resource.RLIM_INFINITY else str(soft_limit)
        return Check("open files", True, f"{shown}, enough for {CHANNELS} channels")
    channels = max(0, soft_limit - FILES_OF_WORKER) // FILES_PER_CHANNEL
    return Check(
        "open files",
        None if channels else False,
        f"{soft_limit}, enough for {channels} channels",
        "raise it before the worker starts: ulimit -n 4096, or LimitNOFILE=4096 in its systemd unit",
    )


def check_receive_buffer(rmem_max: str) -> Check:
    """Whether the kernel allows UDP inputs the buffer that they ask for.

    Args:
        rmem_max: The text of ``/proc/sys/net/core/rmem_max``, bytes.
    """
    name = "receive buffers"
    advice = f"sysctl -w net.core.rmem_max={RECEIVE_BUFFER_ADVISED}, and the same in /etc/sysctl.d/ for the next boot"
    if not rmem_max.strip().isdigit():
        return Check(
            name, None, "net.core.rmem_max cannot be read here, as in some containers", f"on the host: {advice}"
        )
    allowed = int(rmem_max)
    if allowed >= RECEIVE_BUFFER:
        return Check(name, True, f"net.core.rmem_max is {allowed}")
    finding = (
        f"net.core.rmem_max is {allowed}, less than {RECEIVE_BUFFER}: UDP inputs lose packets when the CPU is busy"
    )
    return Check(name, None, finding, advice)


def check_memory_ceilings(pid: int, run_path: Path) -> Check:
    """How the memory limits of channels are held.

    Args:
        pid: The keeper, or a process that would start it.
        run_path: The run directory.
    """
    try:
        ground = find_ground(pid, run_path)
    except NoGround as reason:
        return Check("memory ceilings", None, f"by watching, once a second: {reason.why}", reason.remedy)
    return Check("memory ceilings", True, f"by cgroup, below {ground}")


def check_directory(name: str, path: Path) -> Check:
    """Whether a directory is there and can be written to."""
    user, place, there = _user(), shlex.quote(str(path)), existing(path)
    if not there.is_dir():
        return Check(name, False, f"{there} is no directory", "move it aside, or set another directory")
    if os.access(there, os.W_OK | os.X_OK):
        if there == path:
            return Check(name, True, f"{path} can be written to")
        return Check(name, None, f"{path} is not there yet", f"mkdir -p {place}")
    if there == path:
        finding = f"{path} cannot be written to by {user}"
        return Check(name, False, finding, f"as root: chown {user} {place}; see that its disk is not mounted read-only")
    finding = f"{path} is not there, and {user} cannot make it in {there}"
    return Check(name, False, finding, f"as root: install -d -o {user} {place}")


def check_space(name: str, path: Path) -> Check:
    """Whether the disk of a directory has room."""
    free, total = disk_space(path)
    if not total:
        return Check(name, False, f"the disk of {path} does not answer", "look at its mount and at the kernel's log")
    finding = f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free"
    if free < LEAST_FREE:
        return Check(name, False, finding, f"free some space: du -xsh {shlex.quote(str(existing(path)))}/*")
    return Check(name, True, finding)


def check_run_directory(path: Path, mounts: str) -> Check:
    """Whether progress files lie in memory.

    Args:
        path: The run directory, which need not exist yet.
        mounts: The text of ``/proc/self/mounts``.
    """
    mount = mount_of(existing(path).resolve(), mounts)
    kind = mount.kind if mount else ""
    if kind in ("tmpfs", "ramfs"):
        return Check("run directory", True, f"{path} is on {kind}")
    return Check(
        "run directory",
        None,
        f"{path} is on {kind or 'a disk'}: every channel writes its progress to it each second",
        "set TRANSCODER_RUN_DIR to a directory on tmpfs, such as one below /run",
    )


def parse_routes(text: str) -> list[Route]:
    """Reads ``/proc/net/route``, whose addresses are hexadecimal in the machine's byte order."""
    routes: list[Route] = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8:
            continue
        address, mask = (ipaddress.IPv4Address(struct.pack("=I", int(fields[index], 16))) for index in (1, 7))
        flags = int(fields[3], 16)
        routes.append(
            Route(
                interface=fields[0],
                network=ipaddress.IPv4Network((address, str(mask)), strict=False),
                usable=bool(flags & _UP) and not flags & _REJECT,
            )
        )
    return routes


def _ipv4(interface: Interface) -> str:
    return next((address for address in interface.addresses if ":" not in address), "")


def _is_loopback(interface: Interface) -> bool:
    address = _ipv4(interface)
    return bool(address) and ipaddress.IPv4Address(address).is_loopback


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
