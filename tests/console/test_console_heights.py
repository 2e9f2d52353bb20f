"""Which part of the rack's screen gives way where the terminal is small."""

import pytest
from rack_fixtures import sample

from transcoder_tui.console.heights import LEAST_LOG, LEAST_ROWS, TITLES, Heights, share_out
from transcoder_tui.console.widgets.system_strip import listed
from transcoder_tui.models.view import Nic, SystemSample


@pytest.mark.parametrize("rows", [1, 5, 500])
@pytest.mark.parametrize("fault", [0, 1, 2, 3])
def test_the_table_keeps_its_rows_and_nothing_overlaps(rows: int, fault: int) -> None:
    for room in range(8 - TITLES, 80):
        shares = share_out(room, strip=4, rows=rows, fault=fault)
        assert shares.table >= LEAST_ROWS
        left = room - shares.strip - shares.table - shares.fault
        assert left >= LEAST_LOG if shares.log else left == 0


def test_the_machine_gives_way_first_then_the_log_then_the_fault() -> None:
    gone: list[str] = []
    for room in range(40, 2, -1):
        shares = share_out(room, strip=4, rows=500, fault=2)
        for part, full in {"machine": shares.strip == 4, "log": shares.log, "fault": shares.fault == 2}.items():
            if not full and part not in gone:
                gone.append(part)
        if not shares.log:
            assert shares.strip == 0
    assert gone == ["machine", "log", "fault"]


def test_a_usual_terminal_shows_everything() -> None:
    assert share_out(24 - TITLES, strip=3, rows=60, fault=1) == Heights(strip=3, table=9, fault=1, log=True)


def with_nics(*nics: Nic) -> SystemSample:
    return sample().model_copy(update={"nics": list(nics)})


def nic(name: str, *, up: bool = True, carried: float = 0.0) -> Nic:
    return Nic(name=name, up=up, rx_bps=carried, tx_bps=0.0)


def test_interfaces_that_are_up_come_first_and_the_loopback_after_them() -> None:
    history = [with_nics(nic("eth0", up=False, carried=1.0), nic("lo"), nic("eth2"), nic("eth1"))]
    assert listed(history) == ["eth1", "eth2", "lo", "eth0"]


def test_an_interface_that_is_down_and_carried_nothing_is_left_out() -> None:
    lost = [nic("ifb0", up=False), nic("ifb1", up=False), nic("eth1")]
    history = [with_nics(nic("eth9", carried=5e6), *lost), with_nics(nic("eth9", up=False), *lost)]
    assert listed(history) == ["eth1", "eth9"], "a link that was lost is still told"
    assert listed([]) == []
