"""What the doctor finds, and what it advises."""

import ipaddress
import resource
import socket
import sys
from pathlib import Path

import pytest

from transcoder_tui.host.checks import (
    Route,
    check_directory,
    check_interfaces,
    check_multicast,
    check_open_files,
    check_receive_buffer,
    check_run_directory,
    check_space,
    machine_checks,
    parse_routes,
)
from transcoder_tui.host.disks import mount_of
from transcoder_tui.host.interfaces import addresses, list_interfaces, usable_addresses
from transcoder_tui.models.view import Interface
from transcoder_tui.settings import Settings

HEADER = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
DEFAULT = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0   \n"
LAN = "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0   \n"
ORGANISATION = "eth1\t000000EF\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0   \n"
ALL_GROUPS = "eth2\t000000E0\t00000000\t0001\t0\t0\t0\t000000F0\t0\t0\t0   \n"
SOME_GROUPS = "eth3\t000001EF\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0   \n"
REJECTED = "*\t000000EF\t00000000\t0201\t0\t0\t0\t000000FF\t0\t0\t0   \n"

LOOPBACK = Interface(name="lo", up=True, addresses=["127.0.0.1", "::1"], multicast=True)
ETH1 = Interface(name="eth1", up=True, addresses=["10.1.1.1"], multicast=True)
ETH2 = Interface(name="eth2", up=False, addresses=["10.2.1.1"], multicast=True)
ETH3 = Interface(name="eth3", up=True, addresses=["2001:db8::1"], multicast=True)

MOUNTS = r"""/dev/vda / ext4 rw,relatime 0 0
tmpfs /run tmpfs rw,nosuid 0 0
/dev/vdb /srv/my\040media xfs rw 0 0
/dev/vdc /run/disk btrfs rw 0 0
/dev/vdd /over ext4 rw 0 0
tmpfs /over tmpfs rw 0 0
"""

little_endian = pytest.mark.skipif(sys.byteorder != "little", reason="the sample is from a little-endian machine")


@little_endian
def test_the_routing_table_is_read() -> None:
    assert parse_routes(HEADER + LAN + REJECTED) == [
        Route("eth0", ipaddress.IPv4Network("192.0.2.0/24"), usable=True),
        Route("*", ipaddress.IPv4Network("239.0.0.0/8"), usable=False),
    ]


@little_endian
@pytest.mark.parametrize(
    ("lines", "finding"),
    [
        (DEFAULT + LAN, "the default route on eth0"),
        (DEFAULT + ORGANISATION, "the route 239.0.0.0/8 on eth1"),
        (LAN + ALL_GROUPS, "the route 224.0.0.0/4 on eth2"),
    ],
)
def test_a_route_that_covers_multicast_is_found_as_the_kernel_chooses_it(lines: str, finding: str) -> None:
    check = check_multicast(parse_routes(HEADER + lines), [ETH1])
    assert check.ok is True
    assert check.finding.endswith(finding)


@little_endian
@pytest.mark.parametrize("lines", ["", LAN, SOME_GROUPS, REJECTED])
def test_without_a_route_for_multicast_the_exact_line_is_advised(lines: str) -> None:
    check = check_multicast(parse_routes(HEADER + lines), [LOOPBACK, ETH2, ETH3, ETH1])
    assert check.ok is None
    assert check.remedy.startswith("ip route add 239.0.0.0/8 dev eth1, or name the interface")


def test_a_machine_without_interfaces_still_gets_an_advice() -> None:
    assert "dev lo" in check_multicast([], [LOOPBACK]).remedy
    assert "dev NAME" in check_multicast([], []).remedy


def test_interfaces_that_channels_can_use_are_listed() -> None:
    check = check_interfaces([LOOPBACK, ETH1, ETH2, ETH3])
    assert (check.ok, check.finding) == (True, "lo 127.0.0.1, eth1 10.1.1.1")


def test_loopback_alone_is_enough_to_try_and_nothing_is_too_little() -> None:
    assert check_interfaces([LOOPBACK, ETH2]).ok is None
    assert check_interfaces([ETH2, ETH3]).ok is False


def test_the_limit_of_open_files_is_judged_in_channels() -> None:
    assert check_open_files(resource.RLIM_INFINITY).ok is True
    assert check_open_files(4096).ok is True
    advice = check_open_files(1024)
    assert (advice.ok, advice.finding) == (None, "1024, enough for 137 channels")
    assert "LimitNOFILE=4096" in advice.remedy
    assert check_open_files(64).ok is False


def test_a_small_receive_buffer_is_advised_against() -> None:
    assert check_receive_buffer("16777216\n").ok is True
    small = check_receive_buffer("212992\n")
    assert small.ok is None
    assert "212992" in small.finding
    assert "net.core.rmem_max=16777216" in small.remedy
    assert check_receive_buffer("").ok is None


def test_directories_are_judged_by_whether_they_can_be_written(tmp_path: Path) -> None:
    assert check_directory("HLS root", tmp_path).ok is True
    missing = check_directory("HLS root", tmp_path / "my hls")
    assert (missing.ok, missing.remedy) == (None, f"mkdir -p '{tmp_path}/my hls'")
    (tmp_path / "file").touch()
    assert check_directory("HLS root", tmp_path / "file").ok is False
    below_file = check_directory("HLS root", tmp_path / "file" / "below")
    assert (below_file.ok, below_file.finding) == (False, f"{tmp_path}/file is no directory")


def test_a_directory_that_nobody_can_write_is_refused() -> None:
    """Of /proc, which is so for root as well."""
    assert check_directory("HLS root", Path("/proc/sys/kernel")).ok is False


def test_free_space_is_told(tmp_path: Path) -> None:
    check = check_space("disk", tmp_path)
    assert check.ok is not None
    assert check.finding.endswith("GB free")
    assert check_space("disk", Path("/proc/self")).ok is False


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/runner/x", "ext4"),
        ("/run", "tmpfs"),
        ("/run/transcoder-tui/x", "tmpfs"),
        ("/run/disk/x", "btrfs"),
        ("/srv/my media/x", "xfs"),
        ("/over/x", "tmpfs"),
    ],
)
def test_the_file_system_of_a_path_is_that_of_its_nearest_mount(path: str, kind: str) -> None:
    mount = mount_of(Path(path), MOUNTS)
    assert mount is not None
    assert mount.kind == kind


def test_a_run_directory_on_disk_is_advised_against(tmp_path: Path) -> None:
    on_disk = check_run_directory(tmp_path, "/dev/vda / ext4 rw 0 0\n")
    assert on_disk.ok is None
    assert "TRANSCODER_RUN_DIR" in on_disk.remedy
    assert check_run_directory(tmp_path / "later", "tmpfs / tmpfs rw 0 0\n").ok is True


def test_link_local_and_hardware_addresses_are_left_out_and_ipv4_comes_first() -> None:
    entries = [
        (int(socket.AF_PACKET), "aa:bb:cc:dd:ee:ff"),
        (int(socket.AF_INET6), "fe80::1%eth1"),
        (int(socket.AF_INET6), "2001:db8::1"),
        (int(socket.AF_INET), "10.1.1.1"),
    ]
    assert usable_addresses(entries) == ["10.1.1.1", "2001:db8::1"]


def test_loopback_of_this_machine_can_carry_multicast() -> None:
    loopback = {entry.name: entry for entry in list_interfaces()}["lo"]
    assert loopback.up
    assert loopback.multicast
    assert "127.0.0.1" in loopback.addresses
    assert addresses()["lo"][0] == "127.0.0.1"


def test_every_finding_on_this_machine_that_is_not_good_has_a_remedy(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", run_dir=tmp_path / "run")
    checks = machine_checks(settings)
    assert [check.name for check in checks if check.ok is not True and not check.remedy] == []
    assert {check.name for check in checks} >= {"interfaces", "multicast route", "open files", "HLS root", "media root"}
    assert all(check.finding for check in checks)
