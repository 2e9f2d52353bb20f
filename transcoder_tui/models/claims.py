"""What channels take that cannot be shared: destinations, directories, ports, and groups on two interfaces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transcoder_tui.errors import Fault
from transcoder_tui.models.address import Address
from transcoder_tui.models.output import LADDERS, Output, hls_directory
from transcoder_tui.models.source import DATAGRAMS, Source

EVERY_ADDRESS = ("", "0.0.0.0", "::")
"""Hosts by which a listener takes a port on every address of this machine."""
RTMP_PORT = 1935
"""Port of RTMP where an address names none (Adobe's specification)."""


@dataclass(frozen=True, slots=True)
class _Claim:
    owner: str
    """The channel's name."""
    field: str
    words: str
    """What is taken, secrets masked."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port on which something of a channel waits, and that nobody else can have meanwhile."""

    protocol: str
    """``UDP`` or ``TCP``."""
    number: int
    host: str
    """The address on which it waits; empty for every one."""
    field: str
    """Who waits, such as ``sources[0]``."""
    words: str
    """Its address, secrets masked."""


def ports(sources: Sequence[Source], outputs: Sequence[Output]) -> list[Port]:
    """The ports on which a channel's sources and outputs wait for packets or callers."""
    waiting = [(f"sources[{at}]", source.address) for at, source in enumerate(sources) if source.listens_on is not None]
    waiting += [(f"outputs[{at}]", output.address) for at, output in enumerate(outputs) if _is_called(output)]
    found: list[Port] = []
    for field, address in waiting:
        host = "" if address.host in EVERY_ADDRESS else address.host
        if address.scheme == "rtmp":
            found.append(Port("TCP", address.port or RTMP_PORT, "", field, address.masked))
        elif address.port is not None:
            found.append(Port("UDP", address.port, host, field, address.masked))
            if address.scheme == "rtp":
                # FFmpeg awaits RTCP on the next port, of every address.
                found.append(Port("UDP", address.port + 1, "", field, address.masked))
    return found


class Claims:
    """What the channels of one host have taken so far."""

    def __init__(self) -> None:
        self._taken: dict[str, _Claim] = {}
        self._within: dict[str, _Claim] = {}
        """The directories above those that are taken."""
        self._ports: dict[tuple[str, int], list[tuple[Port, str]]] = {}
        """By protocol and number, with the channel's name."""
        self._groups: dict[str, list[tuple[Source, _Claim]]] = {}

    def add(self, owner: str, sources: Sequence[Source], outputs: Sequence[Output]) -> list[Fault]:
        """Takes what a channel needs.

        Args:
            owner: The channel's name.
            sources: Its sources.
            outputs: Its outputs.

        Returns:
            A fault for each thing that another channel, or an earlier part of this one, has already; its field is seen
            from the channel.
        """
        found = [self._listen(port, owner) for port in ports(sources, outputs)]
        for index, source in enumerate(sources):
            claim = _Claim(owner, f"sources[{index}]", source.address.masked)
            if source.address.scheme in DATAGRAMS and source.address.is_multicast:
                found.append(self._join(source, claim))
        for index, output in enumerate(outputs):
            claim = _Claim(owner, f"outputs[{index}]", output.address.masked)
            found += [self._take(place, claim) for place in _destinations(output)]
        return [fault for fault in found if fault is not None]

    def _take(self, place: str, claim: _Claim) -> Fault | None:
        above = _above(place)
        earlier = next((self._taken[name] for name in (place, *above) if name in self._taken), None)
        earlier = earlier or self._within.get(place)
        self._taken.setdefault(place, claim)
        for name in above:
            self._within.setdefault(name, claim)
        if earlier is None:
            return None
        remedy = "give each output its own address"
        if place.startswith("send "):
            remedy = "give each output its own group or port; another interface does not tell two of them apart"
        elif place.startswith("dir "):
            remedy = "give each output its own directory, none within another's"
        return _fault(claim, earlier, "is already an output of", "overlaps with", f"{claim.field}.url", remedy)

    def _listen(self, port: Port, owner: str) -> Fault | None:
        there = self._ports.setdefault((port.protocol, port.number), [])
        meeting = (other for other in there if port.host == other[0].host or "" in (port.host, other[0].host))
        earlier = next(meeting, None)
        there.append((port, owner))
        if earlier is None or (earlier[1] == owner and port.field.startswith("sources[")):
            # A channel opens one of its sources at a time.
            return None
        return Fault(
            f"{earlier[1]} listens on {port.protocol} port {port.number} already, with {earlier[0].words}",
            "only one program can have a port; choose another one, or use a multicast group",
            f"{port.field}.url",
        )

    def _join(self, source: Source, claim: _Claim) -> Fault | None:
        """Sees the trap that Linux hands a group's packets from every interface to everybody who reads the group.

        FFmpeg takes packets of the wrong interface for its own (IP_MULTICAST_ALL is on), unless it looks at who sent
        them. Measured: two feeds in each of two channels, some 50 corrupt packets a second.
        """
        there = self._groups.setdefault(_place(source.address), [])
        for other, earlier in there:
            apart = source.sender and other.sender and source.sender != other.sender
            if other.interface != source.interface and not apart:
                on = other.interface or "the interface that the routing table chooses"
                return Fault(
                    f"{claim.words} is read on {on} already, by {_whose(earlier, claim)}: each would get both feeds",
                    "name the same interface on both, or give each its own sender",
                    f"{claim.field}.interface",
                )
        there.append((source, claim))
        return None


def _fault(claim: _Claim, earlier: _Claim, foreign: str, own: str, field: str, remedy: str) -> Fault:
    if earlier.owner == claim.owner:
        return Fault(f"{claim.words} {own} {earlier.words}", remedy, field)
    return Fault(f"{claim.words} {foreign} {earlier.owner}", remedy, field)


def _whose(earlier: _Claim, claim: _Claim) -> str:
    return "another source of this channel" if earlier.owner == claim.owner else earlier.owner


def _destinations(output: Output) -> Iterator[str]:
    """What nobody else may write or send to."""
    address = output.address
    if address.scheme in DATAGRAMS:
        yield f"send {_place(address)}"
    elif address.scheme in LADDERS:
        yield f"dir {hls_directory(address)}"
    elif address.scheme == "file":
        yield f"file {address.file}"
    elif address.scheme != "srt":
        yield f"{address.scheme} {_place(address, address.port or RTMP_PORT)}{address.path}"
    elif not _is_called(output):
        yield f"srt {_place(address)} {address.query.get('streamid', '')}"


def _is_called(output: Output) -> bool:
    """Whether an SRT output waits for its caller."""
    return output.address.scheme == "srt" and output.address.query.get("mode") == "listener"


def _place(address: Address, port: int | None = None) -> str:
    return f"{address.host.rstrip('.')}:{port or address.port}"


def _above(place: str) -> list[str]:
    kind, _, path = place.partition(" ")
    if kind != "dir":
        return []
    names = path.split("/")
    return [f"dir {'/'.join(names[:count])}" for count in range(1, len(names))]
