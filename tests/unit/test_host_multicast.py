"""What the kernel's tables say of multicast."""

import socket
import struct

from transcoder_tui.host.multicast import interface_of, joined, parse_igmp, parse_igmp6

IGMP = """Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter
1\tlo        :     2      V3
\t\t\t\t{read}     3 0:00000000\t\t0
\t\t\t\t{own}     1 0:00000000\t\t0
7\tenp0s31f6.1000:     1      V2
\t\t\t\t{read}     1 0:00000000\t\t0
"""
IGMP6 = """1    lo              ff020000000000000000000000000001     1 0000000C 0
4    eth0            ff150000000000000000000000000077     2 00000004 0
"""


def in_hexadecimal(address: str) -> str:
    """As this machine's kernel writes it."""
    return f"{struct.unpack('=I', socket.inet_aton(address))[0]:08X}"


def test_groups_are_read_by_interface_without_those_of_the_machine_itself() -> None:
    text = IGMP.format(read=in_hexadecimal("239.1.2.3"), own=in_hexadecimal("224.0.0.1"))

    assert parse_igmp(text) == {"lo": {"239.1.2.3": 3}, "enp0s31f6.1000": {"239.1.2.3": 1}}
    assert parse_igmp6(IGMP6) == {"eth0": {"ff15::77": 2}}
    assert parse_igmp("") == parse_igmp6("") == {}


def test_a_group_that_is_joined_here_is_found() -> None:
    group = "239.255.77.9"
    before = joined().get("lo", {}).get(group, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reader:
        membership = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
        reader.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)

        assert joined()["lo"][group] == before + 1

    assert joined().get("lo", {}).get(group, 0) == before


def test_an_interface_is_meant_by_name_or_address_or_left_to_the_routes() -> None:
    interfaces = {"lo": ["127.0.0.1"], "eth9": ["192.0.2.9", "192.0.2.10"]}

    assert interface_of("239.1.1.1", "eth9", interfaces) == "eth9"
    assert interface_of("239.1.1.1", "192.0.2.10", interfaces) == "eth9"
    assert interface_of("239.1.1.1", "192.0.2.11", interfaces) == ""
    assert interface_of("127.0.0.1", None, interfaces) == "lo"
