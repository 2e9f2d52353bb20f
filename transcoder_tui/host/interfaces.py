"""The network interfaces of this machine that channels can receive and send on."""

import ipaddress
import socket

import psutil

from transcoder_tui.models.view import Interface


def list_interfaces() -> list[Interface]:
    """All interfaces, in the system's order.

    Loopback counts as able to multicast although it has no such flag: FFmpeg names the interface by its address
    (``localaddr``), and then the kernel delivers groups on it without flag or route.
    """
    stats = psutil.net_if_stats()
    found: list[Interface] = []
    for name, addresses in psutil.net_if_addrs().items():
        stat = stats.get(name)
        flags = set(stat.flags.split(",")) if stat else set()
        found.append(
            Interface(
                name=name,
                up=stat is not None and stat.isup,
                addresses=usable_addresses([(address.family, address.address) for address in addresses]),
                multicast=bool(flags & {"multicast", "loopback"}),
                speed_mbps=stat.speed if stat else 0,
                mtu=stat.mtu if stat else 0,
            )
        )
    return found


def addresses() -> dict[str, list[str]]:
    """The IPv4 addresses of each interface that has one: what FFmpeg's ``localaddr`` takes."""
    found: dict[str, list[str]] = {}
    for name, entries in psutil.net_if_addrs().items():
        for entry in entries:
            if entry.family == socket.AF_INET:
                found.setdefault(name, []).append(entry.address)
    return found


def usable_addresses(entries: list[tuple[int, str]]) -> list[str]:
    """The IP addresses among an interface's addresses: IPv4 first, and no link-local IPv6, which no URL can name.

    Args:
        entries: Address family and address, as psutil gives them.
    """
    ipv4 = [address for family, address in entries if family == socket.AF_INET]
    ipv6 = [address.partition("%")[0] for family, address in entries if family == socket.AF_INET6]
    return ipv4 + [address for address in ipv6 if not ipaddress.IPv6Address(address).is_link_local]
