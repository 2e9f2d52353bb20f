"""The keeper hears whether its worker lives, and not only exists."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

from keeper_rig import Start, said, workers

from transcoder_tui.worker.heartbeat import Pulse

BEATING = f'''exec {sys.executable} -c "
import sys, time
from transcoder_tui.worker.heartbeat import beat
while True:
    beat()
    time.sleep(0.05)
"'''
"""A worker that completes a round twenty times a second."""


def test_a_worker_that_completes_its_rounds_is_left_alone(start_keeper: Start, tmp_path: Path, eventually) -> None:
    begun = time.monotonic()
    keeper = start_keeper(BEATING, TRANSCODER_SILENT_S="1", TRANSCODER_START_UP_S="60")

    eventually(lambda: time.monotonic() - begun > 4)
    assert (keeper.poll(), len(workers(tmp_path))) == (None, 1)


def test_a_worker_that_stands_still_is_replaced(start_keeper: Start, tmp_path: Path, eventually) -> None:
    start_keeper(BEATING, TRANSCODER_SILENT_S="1", TRANSCODER_START_UP_S="60")
    [first] = eventually(lambda: workers(tmp_path))
    eventually(lambda: b"-c" in Path(f"/proc/{first}/cmdline").read_bytes())
    heard(tmp_path, first, eventually)

    os.kill(first, signal.SIGSTOP)

    eventually(lambda: len(workers(tmp_path)) == 2)
    assert not Path(f"/proc/{first}").exists()
    assert f"worker {first} has fallen silent and is replaced" in said(tmp_path)


def heard(run_dir: Path, worker: int, eventually) -> None:
    """Waits until a worker has written its first beat into the memory that it shares with its keeper."""
    memory = Path(f"/proc/{worker}/fd/3")
    eventually(lambda: memory.exists() and memory.read_bytes().strip(b"\0"))


def test_a_worker_that_is_deaf_as_well_is_killed(start_keeper: Start, tmp_path: Path, eventually) -> None:
    deaf = "from transcoder_tui.worker.heartbeat import beat; beat(); "
    deaf += "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    script = f'[ -e once ] || {{ touch once; exec {sys.executable} -c "{deaf}"; }}; exec sleep 60'
    start_keeper(script, TRANSCODER_SILENT_S="0.5")
    [first] = eventually(lambda: workers(tmp_path))

    eventually(lambda: len(workers(tmp_path)) == 2)
    assert not Path(f"/proc/{first}").exists()


def test_a_worker_has_longer_until_its_first_round(start_keeper: Start, tmp_path: Path, eventually) -> None:
    begun = time.monotonic()
    start_keeper("exec sleep 60", TRANSCODER_SILENT_S="0.2", TRANSCODER_START_UP_S="3")

    eventually(lambda: len(workers(tmp_path)) == 2)
    assert time.monotonic() - begun >= 3


def test_an_upgraded_keeper_goes_on_listening(start_keeper: Start, tmp_path: Path, eventually) -> None:
    keeper = start_keeper(BEATING, TRANSCODER_SILENT_S="2", TRANSCODER_START_UP_S="60")
    eventually(lambda: workers(tmp_path))
    keeper.send_signal(signal.SIGHUP)
    _, second = eventually(lambda: len(workers(tmp_path)) == 2 and workers(tmp_path))
    heard(tmp_path, second, eventually)

    os.kill(second, signal.SIGSTOP)

    eventually(lambda: len(workers(tmp_path)) == 3)
    assert keeper.poll() is None


def test_a_keeper_that_stood_still_itself_does_not_blame_its_worker(
    start_keeper: Start, tmp_path: Path, eventually
) -> None:
    keeper = start_keeper(BEATING, TRANSCODER_SILENT_S="2", TRANSCODER_START_UP_S="60")
    [worker] = eventually(lambda: workers(tmp_path))
    heard(tmp_path, worker, eventually)

    # The whole machine stood still, as a virtual one that is moved or saved.
    begun = time.monotonic()
    for pid in (keeper.pid, worker):
        os.kill(pid, signal.SIGSTOP)
    eventually(lambda: time.monotonic() - begun > 8)
    os.kill(keeper.pid, signal.SIGCONT)
    eventually(lambda: time.monotonic() - begun > 9)
    os.kill(worker, signal.SIGCONT)

    eventually(lambda: time.monotonic() - begun > 13)
    assert workers(tmp_path) == [worker]


def test_a_full_memory_or_disk_has_no_part_in_it() -> None:
    pulse = Pulse()
    assert pulse.last() == 0.0
    environment, [(_, descriptor, number)] = pulse.for_worker()
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", "from transcoder_tui.worker.heartbeat import beat; beat()"],
        {**os.environ, **environment},
        file_actions=[(os.POSIX_SPAWN_DUP2, descriptor, number)],
    )
    before = time.monotonic()
    os.waitpid(pid, 0)

    assert before <= pulse.last() <= time.monotonic()
    pulse.reset()
    assert pulse.last() == 0.0
    os.close(pulse.descriptor)


def test_the_service_manager_gets_a_sign_of_life_while_the_keeper_lives(
    start_keeper: Start, tmp_path: Path, eventually
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        keeper = start_keeper(BEATING, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="1000000")

        assert [manager.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        os.kill(keeper.pid, signal.SIGSTOP)
        manager.settimeout(1)
        silent = False
        for _ in range(10):
            try:
                manager.recv(100)
            except TimeoutError:
                silent = True
                break
        os.kill(keeper.pid, signal.SIGCONT)
        manager.settimeout(20)
        assert silent
        assert manager.recv(100) == b"WATCHDOG=1"
