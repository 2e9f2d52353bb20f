"""Whether a port of this machine can be had."""

import errno
import ipaddress
import socket


def why_not(protocol: str, host: str, port: int) -> OSError | None:
    """Takes a port for a moment, as FFmpeg would.

    Args:
        protocol: ``UDP`` or ``TCP``.
        host: The address to take it on: one of this machine's, a multicast group, or empty for every address.
        port: Its number.

    Returns:
        None where it can be had.
    """
    address = _address(host)
    family = socket.AF_INET6 if address is not None and address.version == 6 else socket.AF_INET
    group = address is not None and address.is_multicast
    kind = socket.SOCK_STREAM if protocol == "TCP" else socket.SOCK_DGRAM
    try:
        with socket.socket(family, kind) as taken:
            if group or protocol == "TCP":
                # Several programs may read a group, and a port may be had again at once; FFmpeg asks for both.
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((str(address) if address is not None else "", port))
            if protocol == "TCP":
                taken.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL and host:
            # FFmpeg takes it on every address then.
            return why_not(protocol, "", port)
        return error
    return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
