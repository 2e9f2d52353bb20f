"""The machine in depth, looked at when somebody asks."""

import asyncio
import ipaddress
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil

from transcoder_tui.host import disks, multicast
from transcoder_tui.host.interfaces import list_interfaces
from transcoder_tui.host.sampling import NicCounters, nic_counters, rate
from transcoder_tui.models.machine import DiskUse, Machine, Memory, MulticastGroup, NicUse
from transcoder_tui.models.source import DATAGRAMS
from transcoder_tui.models.view import Interface
from transcoder_tui.settings import Settings
from transcoder_tui.worker.damage import Tally
from transcoder_tui.worker.disk import Disk
from transcoder_tui.worker.run import ChannelRun

LEAST_S = 0.5
"""Shortest time over which rates are taken."""
STALE_S = 10.0
"""Age from which on counters say nothing of the present any more, and are taken anew."""
HANGING_S = 60.0
"""Time for which a disk that did not answer is not asked again: each question may cost a thread until it does."""


@dataclass(frozen=True, slots=True)
class _Counters:
    """What the kernel counts, at one moment."""

    at: float = field(default_factory=time.monotonic)
    cores: Sequence[tuple[float, float]] = field(default_factory=lambda: _cores())
    """Seconds busy and seconds in all of each core."""
    nics: Mapping[str, NicCounters] = field(default_factory=nic_counters)
    disks: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=disks.transferred)


class MachineWatch:
    """Knows the machine.

    Args:
        settings: Where what of ours lies.
        runs: Gives every channel's run.
        interfaces: Gives the addresses of each network interface.
    """

    def __init__(
        self,
        settings: Settings,
        runs: Callable[[], Sequence[ChannelRun]],
        interfaces: Callable[[], Mapping[str, Sequence[str]]],
    ) -> None:
        self._places = [
            ("database", settings.data_dir),
            ("logs", settings.channel_logs),
            ("HLS", settings.hls),
            *(("media", root) for root in settings.media),
            ("run directory", settings.run_path),
        ]
        self._runs = runs
        self._interfaces = interfaces
        # Apart from that of the channels, whose questions it would lose where a disk hangs.
        self._disk = Disk()
        self._resolved: dict[Path, Path] = {}
        self._hanging: dict[Path, float] = {}
        self._losses: dict[str, tuple[Tally, ...]] = {}
        self._before: _Counters | None = None
        self._last: Machine | None = None
        self._looking = asyncio.Lock()

    def note(self, counters: Mapping[str, NicCounters], now: float) -> None:
        """Takes in what interfaces lost; called once a second.

        Args:
            counters: Of each interface.
            now: Monotonic seconds.
        """
        for name, counted in counters.items():
            known = self._losses.get(name)
            if known is None or any(total < tally.total for tally, total in zip(known, counted.losses, strict=True)):
                # New, or its driver counts from 0 again.
                self._losses[name] = tuple(map(Tally, counted.losses))
                continue
            for tally, total in zip(known, counted.losses, strict=True):
                tally.reach(total, now)

    async def look(self) -> Machine:
        """The machine now; whoever asks right after somebody else gets the same."""
        async with self._looking:
            before, now = self._before, time.monotonic()
            if before is not None and self._last is not None and now - before.at < LEAST_S:
                return self._last
            if before is None or now - before.at > STALE_S:
                before = _Counters()
                await asyncio.sleep(LEAST_S)
            after = self._before = _Counters()
            self._last = Machine(
                at=datetime.now(UTC),
                cores=_percents(before.cores, after.cores),
                load=os.getloadavg(),
                memory=_memory(),
                disks=await self._disks(before, after),
                nics=self._nics(before, after),
            )
            return self._last

    def close(self) -> None:
        """Waits for nothing."""
        self._disk.close()

    async def _disks(self, before: _Counters, after: _Counters) -> list[DiskUse]:
        text = disks.mounts()
        found: dict[disks.Mount, list[str]] = {}
        for words, path in self._places:
            mount = disks.mount_of(await self._real(path), text)
            if mount is not None and words not in found.setdefault(mount, []):
                found[mount].append(words)
        return [await self._disk_use(mount, holds, before, after) for mount, holds in found.items()]

    async def _real(self, path: Path) -> Path:
        if path not in self._resolved:
            try:
                self._resolved[path] = await self._disk.ask(path.resolve)
            except (OSError, RuntimeError):
                return path
        return self._resolved[path]

    async def _disk_use(self, mount: disks.Mount, holds: list[str], before: _Counters, after: _Counters) -> DiskUse:
        silent = DiskUse(mount=str(mount.point), device=mount.device, holds=holds, answers=False)
        if time.monotonic() < self._hanging.get(mount.point, 0.0):
            return silent
        try:
            room = await self._disk.ask(partial(disks.room, mount.point))
        except OSError:
            self._hanging[mount.point] = time.monotonic() + HANGING_S
            return silent
        counted = before.disks.get(room.number), after.disks.get(room.number)
        read, written = None, None
        if counted[0] is not None and counted[1] is not None:
            read, written = (
                rate(old, new, after.at - before.at) for old, new in zip(counted[0], counted[1], strict=True)
            )
        free, total = room.free, room.total
        known = {"answers": True, "total": total, "free": free, "read_bps": read, "write_bps": written}
        return silent.model_copy(update=known)

    def _nics(self, before: _Counters, after: _Counters) -> list[NicUse]:
        groups, seconds = self._groups(), after.at - before.at
        found = []
        for nic in list_interfaces():
            counted = after.nics.get(nic.name)
            if counted is not None:
                use = self._nic(nic, before.nics.get(nic.name, counted), counted, seconds)
                found.append(use.model_copy(update={"groups": groups.get(nic.name, [])}))
        return found

    def _nic(self, nic: Interface, old: NicCounters, new: NicCounters, seconds: float) -> NicUse:
        now = time.monotonic()
        minute: list[int | None] = [tally.last_minute(now) for tally in self._losses.get(nic.name, ())]
        rx_drops, tx_drops, rx_errors, tx_errors = minute or [None] * len(new.losses)
        return NicUse(
            name=nic.name,
            up=nic.up,
            speed_mbps=nic.speed_mbps,
            mtu=nic.mtu,
            addresses=nic.addresses,
            rx_bps=8 * rate(old.rx_bytes, new.rx_bytes, seconds),
            tx_bps=8 * rate(old.tx_bytes, new.tx_bytes, seconds),
            rx_pps=rate(old.rx_packets, new.rx_packets, seconds),
            tx_pps=rate(old.tx_packets, new.tx_packets, seconds),
            rx_drops=new.rx_drops,
            tx_drops=new.tx_drops,
            rx_errors=new.rx_errors,
            tx_errors=new.tx_errors,
            rx_drops_per_min=rx_drops,
            tx_drops_per_min=tx_drops,
            rx_errors_per_min=rx_errors,
            tx_errors_per_min=tx_errors,
        )

    def _groups(self) -> dict[str, list[MulticastGroup]]:
        """The groups of each interface, with the channels on air that use them."""
        found = {
            nic: {group: MulticastGroup(address=group, users=users) for group, users in groups.items()}
            for nic, groups in multicast.joined().items()
        }
        interfaces = self._interfaces()

        def at(group: str, interface: str | None) -> MulticastGroup | None:
            address = str(ipaddress.ip_address(group))
            nic = multicast.interface_of(group, interface, interfaces)
            # Where neither operator nor routing table say, the kernel has chosen.
            nic = nic or next((name for name, groups in found.items() if address in groups), "")
            return found.setdefault(nic, {}).setdefault(address, MulticastGroup(address=address)) if nic else None

        for run in self._runs():
            if run.process is None:
                continue
            source = run.spec.sources[run.source_index]
            if source.address.scheme in DATAGRAMS and source.address.is_multicast:
                group = at(source.address.host, source.interface)
                if group is not None:
                    group.readers.append(run.spec.name)
            for output in run.spec.outputs:
                group = at(output.address.host, output.interface) if output.address.is_multicast else None
                if group is not None and run.spec.name not in group.senders:
                    group.senders.append(run.spec.name)
        return {nic: sorted(groups.values(), key=_by_address) for nic, groups in found.items()}


def _by_address(group: MulticastGroup) -> tuple[int, int]:
    address = ipaddress.ip_address(group.address)
    return address.version, int(address)


def _cores() -> list[tuple[float, float]]:
    times = psutil.cpu_times(percpu=True)
    # Time of guests is counted in user and nice as well.
    return [
        (sum(core) - core.guest - core.guest_nice - core.idle - core.iowait, sum(core) - core.guest - core.guest_nice)
        for core in times
    ]


def _percents(before: Sequence[tuple[float, float]], after: Sequence[tuple[float, float]]) -> list[float]:
    return [
        round(min(100.0, max(0.0, (busy - old_busy) / (total - old_total) * 100)), 1) if total > old_total else 0.0
        for (old_busy, old_total), (busy, total) in zip(before, after, strict=False)
    ]


def _memory() -> Memory:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    return Memory(
        total=memory.total,
        used=memory.used,
        available=memory.available,
        swap_total=swap.total,
        swap_used=swap.used,
    )
