"""What of this host may keep a channel off the air although its document is right, found when it is saved.

What can heal by itself, or from outside, is only said; what leads out of the directories that channels may use, and
ports that the worker has no right to, are refused.
"""

import asyncio
import errno
import os
import shlex
import socket
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from transcoder_tui.errors import Fault, TranscoderError
from transcoder_tui.ffmpeg.command import ENVIRONMENT, Command, HostFacts
from transcoder_tui.host.checks import LEAST_FREE, check_receive_buffer
from transcoder_tui.host.ports import why_not
from transcoder_tui.host.sampling import disk_space, existing
from transcoder_tui.models.address import PATHS, Address, parse_address
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.claims import Port, ports
from transcoder_tui.models.output import LADDERS
from transcoder_tui.models.source import DATAGRAMS
from transcoder_tui.worker.disk import Disk
from transcoder_tui.worker.errand import run_errand
from transcoder_tui.worker.outputs import require_inside

RESOLVE_S = 2.0
"""Seconds in which a host name must resolve: FFmpeg asks at each start, and waits."""
LOOKUPS = 8
"""Host names that are looked up at the same time."""
STEP = 20
"""Channels that are looked at in one go before whoever else waits for the event loop has a turn."""
PRIVILEGED = 1024
"""Ports below are for programs with the right to them (ip_unprivileged_port_start)."""

Placed = tuple[str, ChannelSpec]
"""A channel and what stands before its fields, such as ``channels[3]``; empty for one alone."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was found."""

    refusals: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def add(self, other: "Readiness") -> None:
        """Takes over what was found elsewhere."""
        self.refusals.extend(other.refusals)
        self.warnings.extend(other.warnings)


def assumed(host: HostFacts, channels: Iterable[ChannelSpec]) -> HostFacts:
    """The host as it will be once the interfaces that channels name have an address: one without it may get it."""
    there = {name for _, name in socket.if_nameindex()} - host.interfaces.keys()
    named = {name for spec in channels for _, name in _named(spec)}
    return replace(host, interfaces={**host.interfaces, **{name: ["0.0.0.0"] for name in there & named}})


async def look(channels: Sequence[Placed], host: HostFacts, disk: Disk, held: Collection[tuple[str, int]]) -> Readiness:
    """Looks at ports, directories, disks, buffers and host names.

    Args:
        channels: The channels that are about to be accepted.
        host: This machine.
        disk: What asks disks that may hang.
        held: Protocol and number of the ports that channels have now, which are not looked at.
    """
    found = Readiness()
    for number, (place, spec) in enumerate(channels):
        if number % STEP == STEP - 1:
            await asyncio.sleep(0)
        found.add(_ports(place, spec, held))
        found.warnings.extend(fault.within(place) for fault in _interfaces(spec, host))
    try:
        found.add(await disk.ask(partial(_files, channels, host)))
    except TimeoutError:
        remedy = "look at the disks and network mounts that channels use"
        found.warnings.append(Fault("a disk of these channels does not answer", remedy))
    if any(source.address.scheme in DATAGRAMS for _, spec in channels for source in spec.sources):
        buffer = check_receive_buffer(_text("/proc/sys/net/core/rmem_max"))
        if not buffer.ok:
            found.warnings.append(Fault(buffer.finding, buffer.remedy))
    found.warnings.extend(await _names(channels))
    return found


def _named(spec: ChannelSpec) -> Iterator[tuple[str, str]]:
    """The interfaces that a channel names, each behind its field."""
    yield from ((f"sources[{at}].interface", each.interface) for at, each in enumerate(spec.sources) if each.interface)
    yield from ((f"outputs[{at}].interface", each.interface) for at, each in enumerate(spec.outputs) if each.interface)


def _interfaces(spec: ChannelSpec, host: HostFacts) -> Iterator[Fault]:
    without = assumed(host, [spec]).interfaces.keys() - host.interfaces.keys()
    for where, name in _named(spec):
        if name in without:
            remedy = f"give it one: ip address add ADDRESS/24 dev {name}"
            yield Fault(f"{name} has no IPv4 address at present", remedy, where)


def _ports(place: str, spec: ChannelSpec, held: Collection[tuple[str, int]]) -> Readiness:
    found = Readiness()
    waiting = [port for port in ports(spec.sources, spec.outputs) if (port.protocol, port.number) not in held]
    groups = [
        Port("UDP", source.address.port or 0, source.address.host, f"sources[{index}]", source.address.masked)
        for index, source in enumerate(spec.sources)
        if source.address.scheme in DATAGRAMS and source.address.is_multicast
    ]
    for port in [*waiting, *groups]:
        error = why_not(port.protocol, port.host, port.number)
        where = f"{port.field}.url"
        name = f"{port.protocol} port {port.number}"
        if error is not None and error.errno == errno.EACCES:
            remedy = f"choose a port from {PRIVILEGED} on, or give the worker CAP_NET_BIND_SERVICE"
            found.refusals.append(Fault(f"the worker has no right to {name}", remedy, where).within(place))
        elif error is not None and error.errno == errno.EADDRINUSE:
            letter = "t" if port.protocol == "TCP" else "u"
            remedy = f"end it, or choose another port; find it with: ss -{letter}lpn sport = :{port.number}"
            found.warnings.append(Fault(f"another program has {name}", remedy, where).within(place))
    return found


# Files


def _files(channels: Sequence[Placed], host: HostFacts) -> Readiness:
    found = Readiness()
    disks: set[int] = set()
    for place, spec in channels:
        for where, address in _read(spec):
            path = _path(address, host, where)
            if path is None:
                continue
            try:
                require_inside(path, host.media_roots)
            except TranscoderError as error:
                found.refusals.extend(Fault(each.fault, each.remedy, where).within(place) for each in error.faults)
                continue
            if not os.access(path, os.R_OK):
                there = "cannot be read by the worker" if path.exists() else "is not there"
                remedy = (
                    "give the worker the right to read it" if path.exists() else "put it there, or correct its name"
                )
                found.warnings.append(Fault(f"{path} {there}", remedy, where).within(place))
        for where, directory, roots in _written(spec, host):
            try:
                require_inside(directory, roots)
            except TranscoderError as error:
                found.refusals.extend(Fault(each.fault, each.remedy, where).within(place) for each in error.faults)
                continue
            found.warnings.extend(fault.within(place) for fault in _directory(directory, where, disks))
    return found


def require_confined(spec: ChannelSpec, source: int, host: HostFacts) -> None:
    """Refuses to read, through a symbolic link, what lies outside the media roots.

    Args:
        spec: The channel.
        source: Position of the source that it is about to read.
        host: This machine.

    Raises:
        HostFault: Naming the file, where it leads, and the roots.
    """
    for where, address in _read(spec):
        if where.startswith((f"sources[{source}]", "overlay")):
            require_inside(host.media_file(address, where), host.media_roots)


def _directory(directory: Path, where: str, disks: set[int]) -> Iterator[Fault]:
    there = existing(directory)
    if not there.is_dir():
        yield Fault(f"{there} is no directory", "move it aside, or choose another directory", where)
    elif not os.access(there, os.W_OK | os.X_OK):
        yield Fault(f"{there} cannot be written", "give the worker the right, or mount its disk for writing", where)
    else:
        free, total = disk_space(there)
        device = there.stat().st_dev
        if total and free < LEAST_FREE and device not in disks:
            disks.add(device)
            fault = f"the disk of {there} has {free / 1e9:.1f} GB left"
            yield Fault(fault, f"free some space: du -xsh {shlex.quote(str(there))}/*", where)


def _read(spec: ChannelSpec) -> Iterator[tuple[str, Address]]:
    for index, source in enumerate(spec.sources):
        if source.address.scheme == "file":
            yield f"sources[{index}].url", source.address
        for entry in source.playlist.split(", ") if source.playlist else ():
            yield f"sources[{index}].playlist", parse_address(entry, ("file",))
    if spec.overlay is not None and spec.overlay.logo is not None:
        yield "overlay.logo", parse_address(spec.overlay.logo, ("file",))


def _written(spec: ChannelSpec, host: HostFacts) -> Iterator[tuple[str, Path, Sequence[Path]]]:
    for index, output in enumerate(spec.outputs):
        where, address = f"outputs[{index}].url", output.address
        if address.scheme in LADDERS:
            yield where, host.hls_directory(address, where), [host.hls_root]
        elif address.scheme == "file" and (path := _path(address, host, where)) is not None:
            yield where, path.parent, host.media_roots


def _path(address: Address, host: HostFacts, where: str) -> Path | None:
    try:
        return host.media_file(address, where)
    except TranscoderError:
        # Refused already, where the command was built.
        return None


# Host names


async def _names(channels: Sequence[Placed]) -> list[Fault]:
    where: dict[str, str] = {}
    for place, spec in channels:
        addresses = [(f"sources[{at}].url", source.address) for at, source in enumerate(spec.sources)]
        addresses += [(f"outputs[{at}].url", output.address) for at, output in enumerate(spec.outputs)]
        for field_, address in addresses:
            if address.scheme not in PATHS and any(char.isalpha() for char in address.host) and ":" not in address.host:
                where.setdefault(address.host, f"{place}.{field_}" if place else field_)
    free = asyncio.Semaphore(LOOKUPS)
    found = await asyncio.gather(*(_resolves(name, free) for name in where))
    remedy = "check its spelling and the name servers in /etc/resolv.conf, or write its address"
    return [
        Fault(f"{name} does not resolve to an address", remedy, place)
        for (name, place), resolved in zip(where.items(), found, strict=True)
        if not resolved
    ]


async def _resolves(name: str, free: asyncio.Semaphore) -> bool:
    """Asks as FFmpeg does, in a process of its own: a resolver that hangs would hold a thread of ours for long."""
    async with free:
        try:
            return (await run_errand(Command(("getent", "ahosts", name), ENVIRONMENT, ()), RESOLVE_S)).exit_code == 0
        except OSError:
            return True


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
