"""The keeper's upgrade: by exec, in the same process, and only to code that can be run."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from keeper_rig import KEEPER, Start, ends, said, workers

import transcoder_tui
from transcoder_tui import locks
from transcoder_tui.worker.handover import FORMAT, VARIABLE

REFUSED = "reload.refused"


def upgraded(pid: int) -> bool:
    """Whether a process became the keeper that it is by exec."""
    return VARIABLE.encode() in Path(f"/proc/{pid}/environ").read_bytes()


def descriptors(pid: int) -> list[str]:
    return sorted(str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir())


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A copy of the package, for a keeper that has it on its PYTHONPATH: an installation that can be changed."""
    package = Path(transcoder_tui.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(package, tmp_path / "site" / "transcoder_tui", ignore=ignored)


def test_hup_upgrades_the_keeper_in_its_process_and_replaces_the_worker(
    start_keeper: Start, tmp_path: Path, eventually
) -> None:
    keeper = start_keeper("exec sleep 60")
    [first] = eventually(lambda: workers(tmp_path))
    assert not upgraded(keeper.pid)
    had = descriptors(keeper.pid)

    for count in (2, 3):
        keeper.send_signal(signal.SIGHUP)
        eventually(lambda count=count: len(workers(tmp_path)) == count)
        assert upgraded(keeper.pid)

    assert not Path(f"/proc/{first}").exists()
    assert locks.holder(tmp_path / "keeper.lock") == keeper.pid
    assert start_keeper("exec sleep 60").wait(20) == 0, "the lock was never free"
    assert descriptors(keeper.pid) == had
    assert not (tmp_path / REFUSED).exists()
    assert VARIABLE.encode() not in Path(f"/proc/{workers(tmp_path)[-1]}/environ").read_bytes()


@pytest.mark.long
def test_no_end_is_lost_while_the_keeper_is_exchanged(start_keeper: Start, tmp_path: Path, eventually) -> None:
    # One orphan ends every 50 ms, from before the trial of the new code until the new worker runs.
    count = 80
    orphan = "(until [ -e go ]; do sleep 0.05; done; sleep $(echo $n | awk '{print $1 * 0.05}'); exit $n)"
    script = (
        f"[ -e began ] || {{ touch began; n=0; while [ $n -lt {count} ]; do {orphan} & n=$((n+1)); done; exit 0; }}"
    )
    keeper = start_keeper(f"{script}; exec sleep 60")
    eventually(lambda: len(workers(tmp_path)) == 2)
    (tmp_path / "go").touch()

    keeper.send_signal(signal.SIGHUP)

    eventually(lambda: len(workers(tmp_path)) == 3)
    assert upgraded(keeper.pid)
    eventually(lambda: len(ends(tmp_path)) >= count)
    assert sorted(end["code"] for end in ends(tmp_path)) == list(range(count))


def test_a_worker_and_an_orphan_that_ended_during_the_exchange_are_accounted_for(
    start_keeper: Start, tmp_path: Path, eventually
) -> None:
    # Both are zombies when the next keeper begins.
    become = f"""
import os, sys, time
from pathlib import Path
from transcoder_tui import locks
from transcoder_tui.worker.handover import State, hand_over
shell = lambda script: os.posix_spawn("/bin/sh", ["sh", "-c", script], os.environ)
worker, orphan = shell("exit 3"), shell("exit 7")
for pid in worker, orphan:
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
Path({str(tmp_path / "orphan")!r}).write_text(str(orphan))
state = State(locks.take(Path({str(tmp_path / "keeper.lock")!r})), worker=worker, started=time.monotonic())
hand_over(state, ["-c", {KEEPER!r}, "/bin/sh", "-c", "cd {tmp_path}; echo $$ >>starts; exec sleep 60"])
"""
    (tmp_path / "become.py").write_text(become)
    start_keeper("", module=str(tmp_path / "become.py"))

    [worker] = eventually(lambda: workers(tmp_path))
    assert Path(f"/proc/{worker}").exists()
    assert "the worker ended with 3; next one in 0 s" in said(tmp_path)
    assert [(end["pid"], end["code"]) for end in ends(tmp_path)] == [(int((tmp_path / "orphan").read_text()), 7)]


@pytest.mark.long
def test_the_next_keeper_runs_what_was_installed_meanwhile(
    start_keeper: Start, installed: Path, tmp_path: Path, eventually
) -> None:
    keeper = start_keeper("exec sleep 60", PYTHONPATH=str(installed.parent))
    eventually(lambda: workers(tmp_path))
    module = installed / "worker" / "keeper.py"
    module.write_text(module.read_text().replace("runs the installed version", "is the newer one"))

    keeper.send_signal(signal.SIGHUP)

    eventually(lambda: len(workers(tmp_path)) == 2)
    assert "keeper: is the newer one" in said(tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("broken", ["worker/keeper.py", "daemon.py", "worker/supervisor.py", "api/app.py"])
def test_code_that_cannot_be_run_changes_nothing(
    start_keeper: Start, installed: Path, tmp_path: Path, eventually, broken: str
) -> None:
    keeper = start_keeper("exec sleep 60", PYTHONPATH=str(installed.parent))
    eventually(lambda: workers(tmp_path))
    module = installed / broken
    whole = module.read_text()
    module.write_text(whole + "\nthis is no Python\n")

    keeper.send_signal(signal.SIGHUP)

    eventually((tmp_path / REFUSED).exists)
    assert "SyntaxError" in (tmp_path / REFUSED).read_text()
    assert "the installed version cannot be run: SyntaxError" in said(tmp_path)
    assert (keeper.poll(), len(workers(tmp_path)), upgraded(keeper.pid)) == (None, 1, False)

    module.write_text(whole)
    keeper.send_signal(signal.SIGHUP)

    eventually(lambda: len(workers(tmp_path)) == 2)
    assert upgraded(keeper.pid)
    assert not (tmp_path / REFUSED).exists()


def test_a_version_that_cannot_take_over_is_refused(
    start_keeper: Start, installed: Path, tmp_path: Path, eventually
) -> None:
    keeper = start_keeper("exec sleep 60", PYTHONPATH=str(installed.parent))
    eventually(lambda: workers(tmp_path))
    module = installed / "worker" / "handover.py"
    module.write_text(module.read_text().replace(f"FORMAT = {FORMAT}\n", f"FORMAT = {FORMAT + 1}\n"))

    keeper.send_signal(signal.SIGHUP)

    eventually((tmp_path / REFUSED).exists)
    assert "cannot take over from the running one" in (tmp_path / REFUSED).read_text()
    assert (keeper.poll(), len(workers(tmp_path))) == (None, 1)


def test_a_python_that_is_gone_changes_nothing(start_keeper: Start, tmp_path: Path, eventually) -> None:
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    package = str(Path(transcoder_tui.__file__).parents[1])
    keeper = start_keeper("exec sleep 60", python=str(python), PYTHONPATH=package)
    eventually(lambda: workers(tmp_path))
    python.unlink()

    keeper.send_signal(signal.SIGHUP)

    eventually((tmp_path / REFUSED).exists)
    assert (tmp_path / REFUSED).read_text() == "No such file or directory"
    assert (keeper.poll(), len(workers(tmp_path))) == (None, 1)


def test_a_worker_that_dies_during_the_trial_is_started_again_at_once(
    start_keeper: Start, tmp_path: Path, eventually
) -> None:
    keeper = start_keeper("exec sleep 60")
    [first] = eventually(lambda: workers(tmp_path))

    keeper.send_signal(signal.SIGHUP)
    os.kill(first, signal.SIGKILL)

    eventually(lambda: len(workers(tmp_path)) == 3)
    assert upgraded(keeper.pid)


def test_term_during_the_trial_ends_the_keeper(start_keeper: Start, tmp_path: Path, eventually) -> None:
    keeper = start_keeper("exec sleep 60")
    [worker] = eventually(lambda: workers(tmp_path))

    keeper.send_signal(signal.SIGHUP)
    keeper.terminate()

    assert keeper.wait(20) == 0
    assert not Path(f"/proc/{worker}").exists()
    assert len(workers(tmp_path)) == 1
