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


class Claims:
    """What the channels of one host have taken so far."""

    def __init__(self) -> None:
        self._taken: dict[str, _Claim] = {}
        self._within: dict[str, _Claim] = {}
        """The directories above those that are taken."""
        self._ports: dict[tuple[str, int], list[tuple[str, _Claim]]] = {}
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
        found: list[Fault | None] = []
        for index, source in enumerate(sources):
            claim = _Claim(owner, f"sources[{index}]", source.address.masked)
            found += [self._listen(port, host, claim) for port, host in _ports(source.address, listens=_waits(source))]
            if source.address.scheme in DATAGRAMS and source.address.is_multicast:
                found.append(self._join(source, claim))
        for index, output in enumerate(outputs):
            claim = _Claim(owner, f"outputs[{index}]", output.address.masked)
            found += [self._listen(port, host, claim) for port, host in _ports(output.address, listens=_calls(output))]
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

    def _listen(self, port: tuple[str, int], host: str, claim: _Claim) -> Fault | None:
        there = self._ports.setdefault(port, [])
        earlier = next((other for at, other in there if at == host or {at, host} & set(EVERY_ADDRESS)), None)
        there.append((host, claim))
        if earlier is None or (earlier.owner == claim.owner and claim.field.startswith("sources[")):
            # A channel opens one of its sources at a time.
            return None
        protocol, number = port
        return Fault(
            f"{earlier.owner} listens on {protocol} port {number} already, with {earlier.words}",
            "only one program can have a port; choose another one, or use a multicast group",
            f"{claim.field}.url",
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
        if address.scheme == "rtp" and address.port is not None:
            # RTCP goes to the next port (RFC 3550, section 11).
            yield f"send {_place(address, address.port + 1)}"
    elif address.scheme in LADDERS:
        yield f"dir {hls_directory(address)}"
    elif address.scheme == "file":
        yield f"file {address.file}"
    elif address.scheme != "srt":
        yield f"{address.scheme} {_place(address, address.port or RTMP_PORT)}{address.path}"
    elif not _calls(output):
        yield f"srt {_place(address)} {address.query.get('streamid', '')}"


def _waits(source: Source) -> bool:
    return source.listens_on is not None


def _calls(output: Output) -> bool:
    """Whether an SRT output waits for its caller."""
    return output.address.scheme == "srt" and output.address.query.get("mode") == "listener"


def _ports(address: Address, *, listens: bool) -> Iterator[tuple[tuple[str, int], str]]:
    """Protocol and port of whatever waits for packets or callers, and the address on which it waits."""
    if not listens:
        return
    host = "" if address.host in EVERY_ADDRESS else address.host
    if address.scheme == "rtmp":
        yield ("TCP", address.port or RTMP_PORT), ""
    elif address.port is not None:
        yield ("UDP", address.port), host
        if address.scheme == "rtp":
            yield ("UDP", address.port + 1), host


def _place(address: Address, port: int | None = None) -> str:
    return f"{address.host.rstrip('.')}:{port or address.port}"


def _above(place: str) -> list[str]:
    kind, _, path = place.partition(" ")
    if kind != "dir":
        return []
    names = path.split("/")
    return [f"dir {'/'.join(names[:count])}" for count in range(1, len(names))]
