"""What is lost and damaged of a source: counted, told over time, and an alarm where it does not stop."""

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from transcoder_tui.ffmpeg.rule import Damage
from transcoder_tui.host.sampling import ProcessSample
from transcoder_tui.host.udp import UdpDrops
from transcoder_tui.models.health import Health
from transcoder_tui.worker.damage import SourceDamage, Tally
from transcoder_tui.worker.health import REACTIONS, Reaction
from transcoder_tui.worker.logfile import ChannelLog
from transcoder_tui.worker.monitor import Monitor, Observed
from transcoder_tui.worker.rundir import RunDir

SOURCE = "udp://239.1.1.1:5000"


def test_a_tally_knows_the_sum_and_the_last_minute() -> None:
    tally = Tally()
    for second in range(0, 300, 5):
        tally.add(2, second)

    assert (tally.total, tally.last_minute(299)) == (120, 24)
    assert (tally.total, tally.last_minute(340)) == (120, 4)
    assert (tally.total, tally.last_minute(360)) == (120, 0)


def test_a_sum_that_ffmpeg_tells_is_counted_by_its_growth() -> None:
    tally = Tally()
    for second, total in enumerate([0, 3, 3, 7]):
        tally.reach(total, second)
    tally.reach(9, 100)

    assert (tally.total, tally.last_minute(100)) == (9, 2)


def damaged(tmp_path: Path, seconds: list[float]) -> SourceDamage:
    found = SourceDamage(tmp_path / "damage", adopted=False)
    for second in seconds:
        found.add(Damage.CORRUPT, 1, second)
    return found


@pytest.mark.parametrize(
    ("seconds", "is_raised"),
    [([], False), ([1, 2, 3, 4], False), ([9, 11], False), ([1, 15, 35], False), ([9, 11, 21], True)],
)
def test_only_damage_in_three_windows_in_a_row_is_an_alarm(
    seconds: list[float], is_raised: bool, tmp_path: Path
) -> None:
    source = damaged(tmp_path, seconds)

    assert [source.trouble(SOURCE, second) for second in range(29)] == [None] * 29
    assert (source.trouble(SOURCE, 31) is not None) is is_raised


def test_the_alarm_says_what_is_damaged_and_is_cleared_after_three_windows_without(tmp_path: Path) -> None:
    source = damaged(tmp_path, [5, 15, 25])
    source.add(Damage.LOST, 4, 26)

    found = source.trouble(SOURCE, 31)

    assert found is not None
    assert found.health is Health.SOURCE_DAMAGED
    assert REACTIONS[found.health] is Reaction.WARN
    words = "in the last minute 3 packets damaged, 4 datagrams lost on the way"
    assert found.message == f"{SOURCE} arrives damaged; {words}"
    assert "packet loss" in found.remedy
    assert source.trouble(SOURCE, 59) is not None
    assert source.trouble(SOURCE, 60) is None
    source.add(Damage.CORRUPT, 1, 61)
    assert source.trouble(SOURCE, 71) is None, "one hit more is not the alarm again"


def test_what_this_machine_drops_has_another_remedy(tmp_path: Path) -> None:
    source = damaged(tmp_path, [5, 15, 25])
    source.dropped(10, 26)
    source.dropped(10, 27)
    source.dropped(12, 28)

    found = source.trouble(SOURCE, 31)

    assert found is not None
    assert "12 datagrams dropped by this machine" in found.message
    assert "rmem_max" in found.remedy


def test_the_next_worker_counts_on_and_the_next_run_from_the_beginning(tmp_path: Path) -> None:
    first = damaged(tmp_path, [5, 15, 25])
    first.dropped(40, 26)
    first.keep()

    adopted = SourceDamage(tmp_path / "damage", adopted=True)
    adopted.dropped(41, 30)
    adopted.add(Damage.CORRUPT, 1, 31)

    assert {kind: tally.total for kind, tally in adopted.tallies.items() if tally.total} == {
        Damage.CORRUPT: 4,
        Damage.OVERRUN: 41,
    }
    fresh = SourceDamage(tmp_path / "damage", adopted=False)
    assert not any(tally.total for tally in fresh.tallies.values())


def test_datagrams_that_the_kernel_drops_are_seen_at_the_socket_of_the_process() -> None:
    drops = UdpDrops()
    with (
        closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as receiver,
        closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender,
    ):
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        receiver.bind(("127.0.0.1", 0))
        drops.of(os.getpid())
        drops.refresh([os.getpid()])
        before = drops.of(os.getpid())

        for _ in range(100):
            sender.sendto(b"x" * 1316, receiver.getsockname())
        drops.refresh([os.getpid()])
        after = drops.of(os.getpid())

    assert before is not None
    assert after is not None
    assert after - before > 80
    drops.refresh([])
    assert drops.of(2**22) is None, "a process that is not there"


class Rig:
    """A monitor whose FFmpeg and clock are the test's."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("transcoder_tui.worker.monitor.time.monotonic", lambda: self.now)
        self._run_dir = RunDir(path / "run")
        self._run_dir.path.mkdir()
        self._run_dir.progress.touch()
        self._stderr = path / "stderr"
        self._stderr.touch()
        observed = Observed(self._run_dir, None, self._stderr, SOURCE, (), 0, 60)
        self.monitor = Monitor(observed, ChannelLog(path / "log", 1_000_000))

    def second(self, *lines: str, media: int = 0, drops: int = 0) -> None:
        self.now += 1
        with self._run_dir.progress.open("a") as file:
            file.write(f"frame=1\nout_time_us={media or round(self.now * 1e6)}\ndrop_frames={drops}\ndup_frames=1\n")
            file.write("progress=continue\n")
        with self._stderr.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)
        self.monitor.read()


CORRUPT = "[mpegts @ 0x1] [warning] Packet corrupt (stream = 0, dts = 396902), dropping it."


def test_damage_is_counted_from_when_a_channel_is_on_air(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(tmp_path, monkeypatch)
    rig.second(CORRUPT, media=1)
    rig.second(media=2)
    rig.second(CORRUPT, CORRUPT, "    Last message repeated 5 times", "[rtp @ 0x1] [warning] RTP: missed 3 packets")
    rig.second(drops=4)

    seen = rig.monitor.figures(rig.now)

    assert (seen.corrupt, seen.corrupt_per_min) == (7, 7)
    assert (seen.lost, seen.undecoded, seen.overrun) == (3, 0, 0)
    assert (seen.drops, seen.drops_per_min, seen.dups, seen.dups_per_min) == (4, 4, 1, 1)
    for _ in range(70):
        rig.second(drops=4)
    later = rig.monitor.figures(rig.now)
    assert (later.corrupt, later.corrupt_per_min, later.drops, later.drops_per_min) == (7, 0, 4, 0)


def test_a_damaged_signal_is_no_complaint_of_an_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(tmp_path, monkeypatch)
    rig.second()
    rig.second()

    rig.second(
        CORRUPT, "[h264 @ 0x1] [error] error while decoding MB 5 1", "[http @ 0x1] [error] Stream ends prematurely"
    )
    assert rig.monitor.complaint(rig.now) is None

    rig.second("[fifo @ 0x1] [warning] FIFO queue full")
    stuck = rig.monitor.complaint(rig.now)
    assert stuck is not None
    assert "takes nothing at present" in stuck.cause
    rig.second("[out#0/flv @ 0x1] [error] The moon is in the way")
    unknown = rig.monitor.complaint(rig.now)
    assert unknown is not None
    assert unknown.cause == "FFmpeg says: The moon is in the way"


def test_drops_of_the_kernel_come_with_the_sample_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, monkeypatch)
    rig.second()
    for total in (0, 5, 25):
        rig.second()
        rig.monitor.feed_process(ProcessSample(rig.now, 1, 1, 1, udp_drops=total))

    seen = rig.monitor.figures(rig.now)

    assert (seen.overrun, seen.overrun_per_min) == (25, 25)


def test_a_flood_of_damage_is_counted_as_far_as_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(tmp_path, monkeypatch)
    rig.second()
    rig.second()

    rig.second(*[CORRUPT.replace("396902", str(396902 + number)) for number in range(150_000)])

    assert rig.monitor.figures(rig.now).corrupt == 500
