"""The keeper: it restarts its worker, and writes down how orphaned processes end."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from keeper_rig import Start, ends, said, workers

from transcoder_tui import locks
from transcoder_tui.worker import ledger
from transcoder_tui.worker.keeper import EXIT_CONFIG, EXIT_ORDERED
from transcoder_tui.worker.ledger import exit_code


def test_a_worker_that_dies_is_started_again(start_keeper: Start, tmp_path: Path, eventually) -> None:
    keeper = start_keeper("exec sleep 60")
    [first] = eventually(lambda: workers(tmp_path))

    os.kill(first, signal.SIGKILL)

    eventually(lambda: len(workers(tmp_path)) == 2)
    assert keeper.poll() is None


def test_the_end_of_an_orphan_is_written_down(start_keeper: Start, tmp_path: Path, eventually) -> None:
    orphan = "setsid sh -c 'echo $$ >orphan; until [ -e go ]; do sleep 0.02; done; exit 7' & "
    start_keeper(
        f"[ -e orphan ] || {{ {orphan} until [ -s orphan ]; do sleep 0.02; done; kill -9 $$; }}; exec sleep 60"
    )
    eventually(lambda: len(workers(tmp_path)) == 2)
    pid = int((tmp_path / "orphan").read_text())
    (tmp_path / "go").touch()

    assert eventually(lambda: exit_code(tmp_path / "exits", pid, None)) == 7
    [entry] = [json.loads(line) for line in (tmp_path / "exits").read_text().splitlines()]
    assert exit_code(tmp_path / "exits", pid, entry["start"]) == 7
    assert exit_code(tmp_path / "exits", pid, entry["start"] + 1) is None, "another process that had the same pid"


def test_term_ends_worker_and_keeper(start_keeper: Start, tmp_path: Path, eventually) -> None:
    keeper = start_keeper("exec sleep 60")
    [worker] = eventually(lambda: workers(tmp_path))

    keeper.terminate()

    assert keeper.wait(20) == 0
    assert not Path(f"/proc/{worker}").exists()


def test_hup_replaces_the_worker(start_keeper: Start, tmp_path: Path, eventually) -> None:
    keeper = start_keeper("exec sleep 60")
    [first] = eventually(lambda: workers(tmp_path))

    keeper.send_signal(signal.SIGHUP)

    eventually(lambda: len(workers(tmp_path)) == 2)
    assert not Path(f"/proc/{first}").exists()
    assert keeper.poll() is None


def test_a_worker_that_is_waited_for_is_started_at_once_where_somebody_asks_for_it(
    start_keeper: Start, tmp_path: Path, eventually
) -> None:
    keeper = start_keeper("[ -e repaired ] && exec sleep 60; exit 1")
    eventually(lambda: "next one in 8 s" in said(tmp_path))
    started = len(workers(tmp_path))
    (tmp_path / "repaired").touch()

    keeper.send_signal(signal.SIGCHLD)

    worker = eventually(lambda: workers(tmp_path)[started:])[0]
    assert "next one in 16 s" not in said(tmp_path)
    keeper.send_signal(signal.SIGCHLD)
    keeper.terminate()
    assert keeper.wait(20) == 0
    assert workers(tmp_path)[started:] == [worker], "one that runs is left alone"


def test_a_worker_that_cannot_start_ends_the_keeper(start_keeper: Start, tmp_path: Path) -> None:
    assert start_keeper(f"exit {EXIT_CONFIG}").wait(20) == EXIT_CONFIG
    assert len(workers(tmp_path)) == 1


def test_a_full_disk_does_not_end_the_keeper(start_keeper: Start, tmp_path: Path, eventually) -> None:
    (tmp_path / "exits").symlink_to("/dev/full")
    keeper = start_keeper(
        "[ -e once ] || { touch once; setsid sleep 0.1 & }; [ $(wc -l <starts) -lt 3 ] || exec sleep 60"
    )

    eventually(lambda: len(workers(tmp_path)) == 3)
    assert keeper.poll() is None


def test_a_second_keeper_leaves_the_first_alone(start_keeper: Start, tmp_path: Path, eventually) -> None:
    first = start_keeper("exec sleep 60")
    eventually(lambda: workers(tmp_path))

    assert start_keeper("exec sleep 60").wait(20) == 0
    assert first.poll() is None
    assert len(workers(tmp_path)) == 1


def test_int_ends_the_keeper_with_the_code_that_tells_a_service_manager_to_leave_it(
    start_keeper: Start, tmp_path: Path, eventually
) -> None:
    keeper = start_keeper("exec sleep 60")
    [worker] = eventually(lambda: workers(tmp_path))

    keeper.send_signal(signal.SIGINT)

    assert keeper.wait(20) == EXIT_ORDERED
    assert not Path(f"/proc/{worker}").exists()


def test_a_worker_that_keeps_dying_is_started_at_once_and_then_ever_more_slowly(
    start_keeper: Start, tmp_path: Path, eventually
) -> None:
    start_keeper("exit 1")

    eventually(lambda: len(workers(tmp_path)) == 4)
    waits = [line.rsplit(" in ", 1)[1] for line in said(tmp_path).splitlines() if "next one in" in line]
    assert waits[:3] == ["0 s", "1 s", "2 s"]


def test_a_keeper_killed_before_it_writes_an_end_down_leaves_the_rest_running(
    start_keeper: Start, tmp_path: Path, eventually
) -> None:
    keeper, pid, other = _keeper_of_orphans(start_keeper, tmp_path, eventually, "reap.before=kill")

    assert keeper.wait(20) == -signal.SIGKILL
    assert exit_code(tmp_path / "exits", pid, None) is None
    assert Path(f"/proc/{other}").exists()
    os.kill(other, signal.SIGKILL)


def test_a_keeper_killed_after_it_wrote_an_end_down_has_lost_nothing(
    start_keeper: Start, tmp_path: Path, eventually
) -> None:
    keeper, pid, other = _keeper_of_orphans(start_keeper, tmp_path, eventually, "reap.after=kill")

    assert keeper.wait(20) == -signal.SIGKILL
    assert exit_code(tmp_path / "exits", pid, None) == 7
    assert Path(f"/proc/{other}").exists()
    os.kill(other, signal.SIGKILL)


def test_a_failing_disk_costs_one_entry_and_no_more(start_keeper: Start, tmp_path: Path, eventually) -> None:
    keeper, pid, other = _keeper_of_orphans(start_keeper, tmp_path, eventually, "reap.before=error")
    eventually(lambda: f"the end of {pid} could not be written down" in said(tmp_path))

    os.kill(other, signal.SIGKILL)

    assert eventually(lambda: exit_code(tmp_path / "exits", other, None)) == -signal.SIGKILL
    assert keeper.poll() is None


def _keeper_of_orphans(start_keeper: Start, run_dir: Path, eventually, failpoints: str):
    """A keeper with two orphans, of which the first ends with 7 when both are its children."""
    first = "setsid sh -c 'echo $$ >first; until [ -e go ]; do sleep 0.02; done; exit 7' & "
    other = "setsid sh -c 'echo $$ >other; exec sleep 60' & "
    wait = "until [ -s first ] && [ -s other ]; do sleep 0.02; done; kill -9 $$"
    keeper = start_keeper(
        f"[ -e first ] || {{ {first} {other} {wait}; }}; exec sleep 60", TRANSCODER_FAILPOINTS=failpoints
    )
    eventually(lambda: len(workers(run_dir)) == 2)
    pids = [int((run_dir / name).read_text()) for name in ("first", "other")]
    (run_dir / "go").touch()
    return keeper, *pids


def test_a_ledger_that_has_grown_large_keeps_its_latest_ends(start_keeper: Start, tmp_path: Path, eventually) -> None:
    entry = json.dumps({"pid": 1, "start": 1, "code": 0, "at": 0.0}) + "\n"
    latest = json.dumps({"pid": 2, "start": 2, "code": 9, "at": 0.0}) + "\n"
    (tmp_path / "exits").write_text(entry * (ledger.MAX_BYTES // len(entry) + 1) + latest)

    start_keeper("exec sleep 60")

    eventually(lambda: workers(tmp_path))
    assert (tmp_path / "exits").stat().st_size <= ledger.KEPT_BYTES
    assert exit_code(tmp_path / "exits", 2, 2) == 9
    assert {end["pid"] for end in ends(tmp_path)} == {1, 2}


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", -signal.SIGKILL)])
def test_a_kernel_that_can_tell_says_how_a_process_ended_that_was_no_child_of_ours(script: str, code: int) -> None:
    # The parent collects it only when it is told to: until then nobody knows.
    parent = (
        "import os, sys; pid = os.posix_spawn('/bin/sh', ['sh', '-c', 'read go; ' + sys.argv[1]], os.environ);"
        "print(pid, flush=True); os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT); print('ended', flush=True);"
        "os.read(2, 1); os.waitpid(pid, 0); print('collected', flush=True)"
    )
    go, collect = os.pipe(), os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", parent, script], stdin=go[0], stdout=subprocess.PIPE, stderr=collect[0], text=True
    ) as process:
        assert process.stdout is not None
        pidfd = os.pidfd_open(int(process.stdout.readline()))
        try:
            assert ledger.kernel_exit_code(pidfd) is None
            os.write(go[1], b"\n")
            assert process.stdout.readline() == "ended\n"
            assert ledger.kernel_exit_code(pidfd) is None
            os.write(collect[1], b"\n")
            assert process.stdout.readline() == "collected\n"
            if tuple(int(part) for part in os.uname().release.split(".")[:2]) < (6, 15):
                pytest.skip("kernels before 6.15 do not tell")
            assert ledger.kernel_exit_code(pidfd) == code
        finally:
            for descriptor in (pidfd, *go, *collect):
                os.close(descriptor)


def test_a_descriptor_that_is_no_pidfd_tells_nothing(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        assert ledger.kernel_exit_code(file.fileno()) is None


def test_the_keeper_of_a_directory_can_be_found_by_its_lock(start_keeper: Start, tmp_path: Path, eventually) -> None:
    assert locks.holder(tmp_path / "keeper.lock") is None

    keeper = start_keeper("exec sleep 60")

    eventually(lambda: workers(tmp_path))
    assert locks.holder(tmp_path / "keeper.lock") == keeper.pid


def test_a_run_directory_that_is_a_symbolic_link_is_refused(start_keeper: Start, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")

    assert start_keeper("exec sleep 60", TRANSCODER_RUN_DIR=str(tmp_path / "run")).wait(20) == EXIT_CONFIG
    assert "is a symbolic link" in said(tmp_path)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_run_directory_into_which_everybody_may_write_is_refused(start_keeper: Start, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o777)

    assert start_keeper("exec sleep 60", TRANSCODER_RUN_DIR=str(tmp_path / "run")).wait(20) == EXIT_CONFIG
    assert "everybody may write" in said(tmp_path)


def test_a_run_directory_of_somebody_else_is_refused(start_keeper: Start, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to give a directory away")
    (tmp_path / "run").mkdir(mode=0o750)
    os.chown(tmp_path / "run", 65534, 65534)

    assert start_keeper("exec sleep 60", TRANSCODER_RUN_DIR=str(tmp_path / "run")).wait(20) == EXIT_CONFIG
    assert "belongs to uid 65534" in said(tmp_path)


def test_a_run_directory_that_is_open_to_everybody_is_closed_to_them(
    start_keeper: Start, tmp_path: Path, eventually
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o755)

    start_keeper("exec sleep 60", TRANSCODER_RUN_DIR=str(tmp_path / "run"))

    eventually(lambda: workers(tmp_path))
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o750
