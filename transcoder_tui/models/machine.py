"""The machine in depth: what its cores, memory, disks and network interfaces do right now."""

from datetime import datetime

from pydantic import BaseModel


class Memory(BaseModel):
    """Memory, in bytes."""

    total: int
    used: int
    """By programs: what is neither free nor a cache that can be dropped."""
    available: int
    """What programs can still take without swapping."""
    swap_total: int
    swap_used: int


class DiskUse(BaseModel):
    """One disk on which something of ours lies."""

    mount: str
    """Where it is mounted."""
    device: str
    """Such as ``/dev/sda1``, ``tmpfs`` or ``nas:/media``."""
    holds: list[str]
    """What of ours lies there: ``database``, ``logs``, ``HLS``, ``media``, ``run directory``."""
    answers: bool = True
    """False where it hangs; nothing else is known of it then."""
    total: int = 0
    """Bytes."""
    free: int = 0
    """Bytes that ordinary users can still write."""
    read_bps: float | None = None
    """Bytes (not bits) read per second by everybody; None where the kernel does not count, as on network mounts."""
    write_bps: float | None = None
    """Likewise written."""


class MulticastGroup(BaseModel):
    """A multicast group on one interface; not those of the machine's own: 224.0.0.0/24, ff01::/16 and ff02::/16."""

    address: str
    users: int = 0
    """Sockets that have joined it there, ours and others'; 0 where it is only sent to."""
    readers: list[str] = []
    """Names of our channels on air whose active source it is."""
    senders: list[str] = []
    """Names of our channels on air that send to it."""


class NicUse(BaseModel):
    """One network interface."""

    name: str
    up: bool
    speed_mbps: int = 0
    """Link speed in Mb/s; 0 where the driver does not say."""
    mtu: int = 0
    addresses: list[str] = []
    rx_bps: float
    """Bits received per second; likewise below."""
    tx_bps: float
    rx_pps: float
    """Packets per second."""
    tx_pps: float
    rx_drops: int
    """Packets thrown away since the interface is there, as the driver counts them."""
    tx_drops: int
    rx_errors: int
    tx_errors: int
    rx_drops_per_min: int | None = None
    """Of these, in the last minute (50 to 60 s), as far as the worker has watched; None where it has not yet."""
    tx_drops_per_min: int | None = None
    rx_errors_per_min: int | None = None
    tx_errors_per_min: int | None = None
    groups: list[MulticastGroup] = []
    """By address."""


class Machine(BaseModel):
    """The machine now; rates are over the time since the last question, at least half a second."""

    at: datetime
    cores: list[float]
    """Percent of each core."""
    load: tuple[float, float, float]
    """Load averages over 1, 5 and 15 minutes."""
    memory: Memory
    disks: list[DiskUse]
    nics: list[NicUse]
    """In the system's order."""
