"""Figures of the machine and of processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from transcoder_tui.host.sampling import (
    TICKS_PER_SECOND,
    ProcessSampler,
    Stat,
    SystemSampler,
    cpu_percent,
    cpu_seconds,
    disk_space,
    existing,
    nic_rates,
    parse_stat,
    parse_written,
    read_stat,
)

BUSY = "while True: pass"
QUIET = "print('ready', flush=True); import time; time.sleep(600)"


@pytest.fixture
def start() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def run(program: str) -> subprocess.Popen[str]:
        started.append(subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def unknown_pid() -> int:
    """A pid that no process can have."""
    return int(Path("/proc/sys/kernel/pid_max").read_text()) + 1


def test_a_stat_line_is_read_whatever_the_command_is_called() -> None:
    line = b"42 (a) S) 9\n(x) R 1 42 42 0 -1 4194304 7 0 0 0 150 50 3 4 20 0 1 0 987654 1000 321 18446744073709551615"
    assert parse_stat(line) == Stat(state="R", cpu_ticks=200, start_ticks=987654, rss_pages=321)


def test_our_own_stat_agrees_with_psutil() -> None:
    stat = read_stat(os.getpid())
    assert stat is not None
    since_boot = psutil.Process().create_time() - psutil.boot_time()
    assert stat.start_ticks / TICKS_PER_SECOND == pytest.approx(since_boot, abs=2)


def test_written_bytes_are_those_handed_to_write() -> None:
    assert parse_written(b"rchar: 1\nwchar: 323934931\nsyscr: 2\n") == 323934931
    assert parse_written(b"") is None


def test_cpu_use_is_the_time_between_two_samples() -> None:
    assert cpu_percent(10.0, 13.0, 2.0) == pytest.approx(150)
    assert cpu_percent(10.0, 10.0, 0.0) == 0


def test_a_pid_used_again_starts_at_zero() -> None:
    assert cpu_percent(9.0, 0.5, 1.0) == 0


def test_a_cpu_clock_says_the_same_as_proc(start: Callable[[str], subprocess.Popen[str]]) -> None:
    busy = start("import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n" + QUIET)
    assert busy.stdout is not None
    assert busy.stdout.readline()
    seconds, stat = cpu_seconds(busy.pid), read_stat(busy.pid)
    assert stat is not None
    assert seconds == pytest.approx(stat.cpu_ticks / TICKS_PER_SECOND, abs=0.1)
    assert cpu_seconds(unknown_pid()) is None


def test_processes_take_turns_once_they_are_known(start: Callable[[str], subprocess.Popen[str]]) -> None:
    pids = [start(QUIET).pid for _ in range(4)]
    sampler = ProcessSampler()
    assert set(sampler.sample(pids)) == set(pids)
    assert set(sampler.sample(pids)) == set(pids)
    turns = [set(sampler.sample(pids)) for _ in range(ProcessSampler.TURNS)]
    assert sorted(pid for turn in turns for pid in turn) == sorted(pids)


def test_a_busy_process_shows_and_a_stopped_one_does_not(
    start: Callable[[str], subprocess.Popen[str]], eventually: Callable[..., object]
) -> None:
    busy, stopped = start(BUSY), start(QUIET)
    assert stopped.stdout is not None
    assert stopped.stdout.readline()
    stopped.send_signal(signal.SIGSTOP)
    eventually(lambda: (stat := read_stat(stopped.pid)) is not None and stat.state == "T")
    sampler = ProcessSampler()
    first = sampler.sample([busy.pid, stopped.pid])
    assert [sample.cpu_percent for sample in first.values()] == [0, 0]
    before = cpu_seconds(busy.pid) or 0
    eventually(lambda: (cpu_seconds(busy.pid) or 0) > before)
    second = sampler.sample([busy.pid, stopped.pid])
    assert second[busy.pid].cpu_percent > 0
    assert second[stopped.pid].cpu_percent == 0
    assert second[stopped.pid].rss_bytes > 1_000_000


def test_what_a_process_writes_is_counted(start: Callable[[str], subprocess.Popen[str]], tmp_path: Path) -> None:
    writer = start(f"open({str(tmp_path / 'out')!r}, 'wb').write(bytes(3_000_000)); {QUIET}")
    assert writer.stdout is not None
    assert writer.stdout.readline()
    written = ProcessSampler().sample([writer.pid])[writer.pid].written_bytes
    assert written is not None
    assert 3_000_000 <= written < 4_000_000


def test_ended_and_unknown_processes_are_left_out_although_not_yet_reaped(
    start: Callable[[str], subprocess.Popen[str]],
) -> None:
    ending, living = start(QUIET), start(QUIET)
    sampler = ProcessSampler()
    assert set(sampler.sample([ending.pid, living.pid, unknown_pid()])) == {ending.pid, living.pid}
    ending.kill()
    os.waitid(os.P_PID, ending.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{ending.pid}").exists()
    assert set(sampler.sample([ending.pid, living.pid])) == {living.pid}


def test_nic_rates_are_bits_per_second() -> None:
    assert nic_rates({"eth0": (1000, 500)}, {"eth0": (251_000, 500)}, 2.0) == {"eth0": (1_000_000, 0)}


def test_nics_come_and_go_and_their_counters_start_again() -> None:
    before = {"gone": (5, 5), "reset": (10**12, 10**12)}
    now = {"new": (10**12, 10**12), "reset": (400, 10**12 + 125)}
    assert nic_rates(before, now, 1.0) == {"new": (0, 0), "reset": (0, 1000)}
    assert nic_rates(now, now, 0.0) == {"new": (0, 0), "reset": (0, 0)}


def test_the_machine_is_sampled(tmp_path: Path) -> None:
    sample = SystemSampler(tmp_path / "not" / "there").sample()
    assert sample.cores == os.cpu_count()
    assert 0 < sample.ram_used < sample.ram_total == psutil.virtual_memory().total
    assert sample.disk_total == psutil.disk_usage(str(tmp_path)).total
    assert 0 < sample.disk_free <= sample.disk_total
    assert 0 <= sample.cpu_percent <= 100
    assert sample.at.utcoffset() is not None
    assert "lo" in [nic.name for nic in sample.nics]


def test_free_space_of_a_missing_directory_is_that_of_the_one_above(tmp_path: Path) -> None:
    assert existing(tmp_path / "a" / "b") == tmp_path
    assert existing(tmp_path) == tmp_path
    assert disk_space(tmp_path / "a" / "b")[1] == psutil.disk_usage(str(tmp_path)).total
