"""Multicast as the kernel sees it: which groups are joined on which interface, and by which one a group is reached."""

import ipaddress
import re
import socket
import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

Groups = dict[str, dict[str, int]]
"""For each interface the groups that are joined on it, and how many sockets have joined each."""

_OWN = tuple(map(ipaddress.ip_network, ("224.0.0.0/24", "ff01::/16", "ff02::/16")))
"""Groups by which the machine itself speaks with its neighbours (RFC 5771, RFC 4291): they are joined everywhere."""
_INTERFACE = re.compile(r"\d+\t([^:]+?)\s*:")


def joined() -> Groups:
    """The groups that programs on this machine have joined, IPv4 and IPv6."""
    found = parse_igmp(_text("/proc/net/igmp"))
    for interface, groups in parse_igmp6(_text("/proc/net/igmp6")).items():
        found.setdefault(interface, {}).update(groups)
    return found


def parse_igmp(text: str) -> Groups:
    """Reads ``/proc/net/igmp``: a line for each interface, and below it one for each group, in hexadecimal."""
    found: Groups = {}
    interface = ""
    for line in text.splitlines()[1:]:
        begins = _INTERFACE.match(line)
        fields = line.split()
        if begins:
            interface = begins.group(1)
        elif len(fields) >= 2:
            address = ipaddress.IPv4Address(struct.pack("=I", int(fields[0], 16)))
            _add(found, interface, address, int(fields[1]))
    return found


def parse_igmp6(text: str) -> Groups:
    """Reads ``/proc/net/igmp6``: a line for each group with its interface, address and users."""
    found: Groups = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 4:
            _add(found, fields[1], ipaddress.IPv6Address(bytes.fromhex(fields[2])), int(fields[3]))
    return found


def interface_of(group: str, interface: str | None, interfaces: Mapping[str, Sequence[str]]) -> str:
    """The interface by which a group is sent to and read.

    Args:
        group: Its address.
        interface: By name or address, as the operator wrote it; None leaves it to the routing table.
        interfaces: The addresses of each one by its name.

    Returns:
        Its name; empty where there is none.
    """
    wanted = interface or _route(group)
    return next((name for name, addresses in interfaces.items() if wanted == name or wanted in addresses), "")


def _route(destination: str) -> str:
    """The address of ours from which the routing table would send; empty where it would not. Sends nothing."""
    with suppress(OSError, UnicodeError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((destination, 9))
        return str(probe.getsockname()[0])
    return ""


def _add(found: Groups, interface: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address, users: int) -> None:
    if not any(address in network for network in _OWN):
        found.setdefault(interface, {})[str(address)] = users


def _text(path: str) -> str:
    with suppress(OSError):
        return Path(path).read_text()
    return ""
