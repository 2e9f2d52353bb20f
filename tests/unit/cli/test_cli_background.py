import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cli_rack
import pytest
from cli_rack import Rack, Run

from transcoder_tui import locks
from transcoder_tui.client import background
from transcoder_tui.errors import HostFault, NotPermitted, NoWorker
from transcoder_tui.settings import load_settings

FAKE = """
import fcntl, json, os, sys
run = os.environ["TRANSCODER_RUN_DIR"]
os.makedirs(run, exist_ok=True)
lock = os.open(run + "/keeper.lock", os.O_RDWR | os.O_CREAT)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit(0)
os.set_inheritable(lock, True)
facts = {"pid": os.getpid(), "sid": os.getsid(0), "cwd": os.getcwd(), "stdin": os.readlink("/proc/self/fd/0")}
facts["environ"] = {name: value for name, value in os.environ.items() if name.startswith("TRANSCODER_")}
with open(run + "/facts.json", "w") as file:
    json.dump(facts, file)
print("a word on stdout", flush=True)
os.execv(sys.executable, [sys.executable, SERVER, run + "/worker.sock", "transcoder_tui.worker.keeper"])
"""


def pretend(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Lets a script stand in for the keeper."""
    monkeypatch.setattr(background, "KEEPER_ARGV", (sys.executable, "-c", script))


@pytest.fixture
def fake(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A keeper that starts a worker; its facts lie at the given path afterwards. Ended with the test."""
    pretend(monkeypatch, FAKE.replace("SERVER", repr(cli_rack.__file__)))
    facts = home / "run" / "facts.json"
    yield facts
    if facts.exists():
        os.kill(json.loads(facts.read_text())["pid"], signal.SIGKILL)


def test_a_worker_is_started_detached_from_the_terminal(fake: Path, home: Path) -> None:
    assert background.ensure_worker(load_settings()) is True

    facts = json.loads(fake.read_text())
    assert facts["sid"] == facts["pid"]
    assert (facts["cwd"], facts["stdin"]) == ("/", "/dev/null")
    assert facts["environ"]["TRANSCODER_DATA_DIR"] == str(home / "data")
    assert facts["environ"]["TRANSCODER_RUN_DIR"] == str(home / "run")
    assert "a word on stdout\n" in (home / "data" / "logs" / "keeper.log").read_text()
    assert background.ensure_worker(load_settings()) is False


def test_the_command_says_whether_it_started_one(fake: Path, run: Run) -> None:
    first, second = run("worker", "start"), run("worker", "start")

    assert first == (0, f"Worker 100 started; it listens on {fake.parent}/worker.sock.\n", "")
    assert second == (0, f"Worker 100 runs already; it listens on {fake.parent}/worker.sock.\n", "")


def test_several_starters_at_once_end_up_with_one_worker(fake: Path) -> None:
    settings = load_settings()
    with ThreadPoolExecutor(3) as pool:
        assert any(pool.map(lambda _: background.ensure_worker(settings), range(3)))


def test_a_keeper_that_ends_at_once_is_reported_with_what_it_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    (home / "data" / "logs").mkdir(parents=True)
    (home / "data" / "logs" / "keeper.log").write_text("an old story\n")
    pretend(monkeypatch, "import sys; print('the \\x1b[31mdatabase is damaged'); sys.exit(78)")

    code, out, err = run("worker", "start")

    assert (code, out) == (5, "")
    assert "the keeper ended with 78 before a worker answered; read" in err
    assert "the \ufffd[31mdatabase is damaged" in err
    assert "old story" not in err


def test_a_worker_that_never_answers_is_given_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "")
    monkeypatch.setattr(background, "START_S", 0.3)

    with pytest.raises(NoWorker, match="did not answer within"):
        background.ensure_worker(load_settings())


def test_a_stale_socket_counts_as_none(home: Path) -> None:
    (home / "run").mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(home / "run" / "worker.sock"))

    assert background.answers(load_settings()) is False


def test_a_file_in_the_place_of_the_socket_is_no_worker(home: Path) -> None:
    (home / "run").mkdir()
    (home / "run" / "worker.sock").touch()

    assert background.answers(load_settings()) is False


def test_a_run_directory_that_somebody_could_turn_elsewhere_is_refused(home: Path, run: Run) -> None:
    (home / "elsewhere").mkdir()
    (home / "run").symlink_to(home / "elsewhere")

    code, _, err = run("worker", "start")

    assert code == 1
    assert f"the run directory {home}/run is a symbolic link" in err
    assert f"set TRANSCODER_RUN_DIR to where it leads: {home}/elsewhere" in err
    assert list((home / "elsewhere").iterdir()) == []


def test_a_keeper_that_was_on_its_way_out_is_followed_by_another(
    home: Path, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first one finds the lock of the keeper that is leaving.
    held = "import os, sys; marker = os.environ['TRANSCODER_RUN_DIR'] + '/tried'\n"
    held += "if not os.path.exists(marker):\n    open(marker, 'w').close(); sys.exit(0)\n"
    pretend(monkeypatch, held + FAKE.replace("SERVER", repr(cli_rack.__file__)))

    assert background.ensure_worker(load_settings()) is True


def test_a_keeper_whose_worker_fails_is_told_with_what_it_said_and_no_other_is_started(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "print('another keeper')")
    monkeypatch.setattr(background, "START_S", 1.5)
    logs = home / "data" / "logs"
    logs.mkdir(parents=True)
    (logs / "keeper.log").write_text("ImportError: no ssl\nkeeper: the worker ended with 1; next one in 16 s\n")
    (home / "run").mkdir()
    lock = locks.take(home / "run" / "keeper.lock")

    with pytest.raises(NoWorker) as raised:
        background.ensure_worker(load_settings())

    assert lock is not None
    os.close(lock)
    first, *said = [fault.fault for fault in raised.value.faults]
    assert first.endswith(f"its keeper {os.getpid()} runs, and goes on trying to start it")
    assert said == ["ImportError: no ssl", "keeper: the worker ended with 1; next one in 16 s"]


def test_a_data_directory_that_cannot_be_made_is_named(home: Path) -> None:
    (home / "data").touch()

    with pytest.raises(HostFault, match=f"{home}/data.* cannot be written"):
        background.ensure_worker(load_settings())


def test_a_stranger_who_listens_on_the_socket_is_not_trusted(home: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root, to be somebody else")
    (home / "run").mkdir()
    home.chmod(0o755)
    (home / "run").chmod(0o777)
    path = home / "run" / "worker.sock"
    listen = f"s = socket.socket(socket.AF_UNIX); s.bind({str(path)!r}); s.listen()"
    script = f"import socket, time; {listen}; time.sleep(60)"
    stranger = ["setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/env", "python3", "-c", script]
    with subprocess.Popen(stranger) as process:
        deadline = time.monotonic() + 30
        while True:
            assert time.monotonic() < deadline
            assert process.poll() is None
            try:
                if not background.answers(load_settings()):
                    time.sleep(0.02)
                    continue
            except NotPermitted as error:
                assert "nobody listens on" in str(error)
                break
            pytest.fail("the stranger was trusted")
        process.kill()


def test_a_closed_socket_names_the_way_in(home: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("no socket is closed to root")
    (home / "run").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(home / "run" / "worker.sock"))
        listener.listen()
        (home / "run" / "worker.sock").chmod(0)
        with pytest.raises(NotPermitted, match="closed to you"):
            background.answers(load_settings())


def test_relative_paths_mean_the_same_to_a_keeper_in_another_directory(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    for name, value in {
        "TRANSCODER_CONFIG": "settings.toml",
        "TRANSCODER_DATA_DIR": "data",
        "TRANSCODER_HLS_ROOT": "www",
        "TRANSCODER_MEDIA_ROOTS": '["clips", "/srv/media"]',
    }.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    environment = background.keeper_environment(settings)
    monkeypatch.chdir("/")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert load_settings() == settings
    assert environment["TRANSCODER_HLS_ROOT"] == str(home / "www")


def test_a_worker_that_runs_is_not_started_again(rack: Rack, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "import sys; sys.exit(1)")

    assert background.ensure_worker(load_settings()) is False
