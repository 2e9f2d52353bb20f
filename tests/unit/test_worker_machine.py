"""The machine in depth where parts of it do not answer, come and go, or count from 0 again."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from transcoder_tui.host import disks
from transcoder_tui.host.sampling import NicCounters
from transcoder_tui.models.machine import NicUse
from transcoder_tui.settings import Settings
from transcoder_tui.worker import disk, machine
from transcoder_tui.worker.machine import MachineWatch

QUIET = NicCounters(0, 0, 0, 0, 0, 0, 0, 0)


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MachineWatch]:
    # Two looks within a moment are two.
    monkeypatch.setattr(machine, "LEAST_S", 0.0)
    watch = MachineWatch(Settings(data_dir=tmp_path, run_dir=tmp_path / "run"), lambda: [], dict)
    yield watch
    watch.close()


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """A disk that does not answer: the kernel offers none to a test. Lists who asked it."""
    asked: list[Path] = []
    answers = threading.Event()

    def hang(point: Path) -> disks.Room:
        asked.append(point)
        answers.wait()
        raise OSError

    monkeypatch.setattr(disks, "room", hang)
    monkeypatch.setattr(disk, "ANSWER_S", 0.05)
    yield asked
    answers.set()


async def loopback(watch: MachineWatch) -> NicUse:
    return next(nic for nic in (await watch.look()).nics if nic.name == "lo")


async def test_a_disk_that_hangs_is_told_and_not_asked_again_at_once(watch: MachineWatch, hanging: list[Path]) -> None:
    first = await watch.look()
    again = await watch.look()

    for seen in (first, again):
        assert [(each.answers, each.total) for each in seen.disks] == [(False, 0)]
        assert "database" in seen.disks[0].holds
        assert seen.cores and seen.nics
    assert len(hanging) == 1


async def test_losses_are_counted_over_the_last_minute(watch: MachineWatch) -> None:
    now = time.monotonic()
    for ago, drops in ((70, 1), (65, 5), (4, 8), (3, 8)):
        watch.note({"lo": QUIET._replace(rx_drops=drops)}, now - ago)
    before = await loopback(watch)
    watch.note({"lo": QUIET._replace(rx_drops=2)}, now)
    after_a_reset = await loopback(watch)
    watch.note({"lo": QUIET._replace(rx_drops=6, tx_errors=1)}, now)
    later = await loopback(watch)

    assert [nic.rx_drops_per_min for nic in (before, after_a_reset, later)] == [3, 0, 4]
    assert [nic.tx_errors_per_min for nic in (before, after_a_reset, later)] == [0, 0, 1]


async def test_what_was_not_watched_is_not_known(watch: MachineWatch) -> None:
    before = await loopback(watch)
    watch.note({"lo": QUIET, "gone": QUIET}, time.monotonic())

    assert before.rx_drops_per_min is None
    assert (await loopback(watch)).rx_drops_per_min == 0
    assert "gone" not in [nic.name for nic in (await watch.look()).nics]
