"""The keeper: it restarts its worker, and writes down how orphaned processes end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from transcoder_tui.worker.keeper import EXIT_CONFIG
from transcoder_tui.worker.ledger import exit_code

KEEPER = "import sys; from transcoder_tui.worker.keeper import main; sys.exit(main(sys.argv[1:]))"

Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a keeper whose worker is a shell script; ``starts`` in the run directory gets a line at each start."""
    keepers: list[subprocess.Popen[bytes]] = []

    def run(script: str) -> "subprocess.Popen[bytes]":
        body = f"cd {tmp_path}; echo $$ >>starts; {script}"
        argv = [sys.executable, "-c", KEEPER, "/bin/sh", "-c", body]
        environment = {**os.environ, "TRANSCODER_RUN_DIR": str(tmp_path)}
        keepers.append(subprocess.Popen(argv, env=environment, stderr=subprocess.PIPE))
        return keepers[-1]

    yield run
    for keeper in keepers:
        keeper.terminate()
        keeper.wait(20)
        assert keeper.stderr is not None
        keeper.stderr.close()


def workers(run_dir: Path) -> list[int]:
    starts = run_dir / "starts"
    return [int(line) for line in starts.read_text().split()] if starts.exists() else []


def test_a_worker_that_dies_is_started_again(start: Start, tmp_path: Path, eventually) -> None:
    keeper = start("exec sleep 60")
    [first] = eventually(lambda: workers(tmp_path))

    os.kill(first, signal.SIGKILL)

    eventually(lambda: len(workers(tmp_path)) == 2)
    assert keeper.poll() is None


def test_the_end_of_an_orphan_is_written_down(start: Start, tmp_path: Path, eventually) -> None:
    orphan = "setsid sh -c 'echo $$ >orphan; until [ -e go ]; do sleep 0.02; done; exit 7' & "
    start(f"[ -e orphan ] || {{ {orphan} until [ -s orphan ]; do sleep 0.02; done; kill -9 $$; }}; exec sleep 60")
    eventually(lambda: len(workers(tmp_path)) == 2)
    pid = int((tmp_path / "orphan").read_text())
    (tmp_path / "go").touch()

    assert eventually(lambda: exit_code(tmp_path / "exits", pid, None)) == 7
    [entry] = [json.loads(line) for line in (tmp_path / "exits").read_text().splitlines()]
    assert exit_code(tmp_path / "exits", pid, entry["start"]) == 7
    assert exit_code(tmp_path / "exits", pid, entry["start"] + 1) is None, "another process that had the same pid"


def test_term_ends_worker_and_keeper(start: Start, tmp_path: Path, eventually) -> None:
    keeper = start("exec sleep 60")
    [worker] = eventually(lambda: workers(tmp_path))

    keeper.terminate()

    assert keeper.wait(20) == 0
    assert not Path(f"/proc/{worker}").exists()


def test_hup_replaces_the_worker(start: Start, tmp_path: Path, eventually) -> None:
    keeper = start("exec sleep 60")
    [first] = eventually(lambda: workers(tmp_path))

    keeper.send_signal(signal.SIGHUP)

    eventually(lambda: len(workers(tmp_path)) == 2)
    assert not Path(f"/proc/{first}").exists()
    assert keeper.poll() is None


def test_a_worker_that_cannot_start_ends_the_keeper(start: Start, tmp_path: Path) -> None:
    assert start(f"exit {EXIT_CONFIG}").wait(20) == EXIT_CONFIG
    assert len(workers(tmp_path)) == 1


def test_a_full_disk_does_not_end_the_keeper(start: Start, tmp_path: Path, eventually) -> None:
    (tmp_path / "exits").symlink_to("/dev/full")
    keeper = start("[ -e once ] || { touch once; setsid sleep 0.1 & }; [ $(wc -l <starts) -lt 3 ] || exec sleep 60")

    eventually(lambda: len(workers(tmp_path)) == 3)
    assert keeper.poll() is None


def test_a_second_keeper_leaves_the_first_alone(start: Start, tmp_path: Path, eventually) -> None:
    first = start("exec sleep 60")
    eventually(lambda: workers(tmp_path))

    assert start("exec sleep 60").wait(20) == 0
    assert first.poll() is None
    assert len(workers(tmp_path)) == 1
