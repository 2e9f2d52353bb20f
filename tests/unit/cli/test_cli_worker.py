import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cli_rack
import pytest
from cli_rack import Rack, Run

from transcoder_tui.cli import handles
from transcoder_tui.client import background
from transcoder_tui.errors import HostFault, NotPermitted
from transcoder_tui.settings import load_settings


@pytest.fixture
def keeper(home: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks and behaves like a keeper whose worker answers; its parameter is why it refuses a reload."""
    refusal = {"REFUSAL": request.param} if hasattr(request, "param") else {}
    socket = home / "run" / "worker.sock"
    command = [sys.executable, cli_rack.__file__, str(socket), background.KEEPER]
    with subprocess.Popen(command, env={**os.environ, **refusal}) as process:
        settings = load_settings()
        deadline = time.monotonic() + 60
        while not background.answers(settings):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
        process.kill()


def test_status_says_which_worker_runs(rack: Rack, run: Run, home: Path) -> None:
    view = json.loads(run("worker", "status", "--json").out)

    assert view["pid"] == os.getpid()
    assert view["socket"] == str(home / "run" / "worker.sock")
    assert {"keeper_pid", "version", "uptime_s"} <= set(view)
    assert "none; nobody restarts the worker" in run("worker", "status").out


@pytest.mark.parametrize("verb", ["status", "stop", "reload"])
def test_where_no_worker_runs_the_exit_code_says_so(run: Run, verb: str) -> None:
    code, out, err = run("worker", verb)

    assert (code, out) == (5, "")
    assert err.startswith("The worker does not answer\n  no worker ")


def test_stop_ends_the_keeper_and_says_what_stays_on_air(keeper: subprocess.Popen[bytes], run: Run) -> None:
    code, out, err = run("worker", "stop")

    assert (code, err) == (0, "")
    assert out == "Worker stopped. 1 channel stays on air; 'transcoder-tui worker start' takes them up again.\n"
    assert keeper.wait() == 0
    assert run("worker", "status").code == 5


def test_stop_with_channels_takes_them_off_air_first(keeper: subprocess.Popen[bytes], run: Run) -> None:
    code, out, _ = run("worker", "stop", "--channels")

    assert code == 0
    assert out.splitlines() == ["News HD  stopped", "Worker stopped. No channel is on air."]
    assert keeper.wait() == 0


def test_reload_waits_for_the_next_worker_and_compares_the_ffmpegs(keeper: subprocess.Popen[bytes], run: Run) -> None:
    code, out, err = run("worker", "reload")

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "Worker 100 was replaced by 101, version 9.9.9.",
        f"Keeper {keeper.pid} stays and runs that version too.",
        "1 channel stays on air with the same FFmpeg as before.",
    ]
    assert keeper.poll() is None


@pytest.mark.parametrize("keeper", ["SyntaxError: \x1b[31minvalid syntax"], indirect=True)
def test_a_reload_that_the_keeper_refuses_says_why(keeper: subprocess.Popen[bytes], run: Run, home: Path) -> None:
    (home / "run" / "reload.refused").write_text("an old story")

    code, out, err = run("worker", "reload")

    assert (code, out) == (1, "")
    assert "the installed version cannot be run: SyntaxError: \ufffd[31minvalid syntax" in err
    assert "go on as before" in err


def test_a_process_that_is_no_keeper_gets_no_signal(rack: Rack, run: Run) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        rack.worker = rack.worker.model_copy(update={"keeper_pid": stranger.pid, "pid": os.getpid()})
        for verb in ("stop", "reload"):
            code, _, err = run("worker", verb)
            assert code == 1
            assert "cannot be seen from here" in err
        assert stranger.poll() is None
        stranger.kill()


def test_a_worker_without_a_keeper_cannot_be_reloaded(rack: Rack, run: Run) -> None:
    code, _, err = run("worker", "reload")

    assert code == 1
    assert "no keeper" in err


def test_a_keeper_that_tries_in_vain_to_start_a_worker_can_be_stopped(run: Run, home: Path) -> None:
    (home / "run").mkdir()
    script = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True)\n"
    command = [sys.executable, "-c", script + "time.sleep(60)", str(home / "run" / "keeper.lock"), background.KEEPER]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as looping:
        assert looping.stdout is not None
        looping.stdout.readline()

        code, out, _ = run("worker", "stop")

        assert code == 0
        assert out.startswith(f"No worker answered; its keeper {looping.pid} was stopped.")
        assert looping.wait() == -signal.SIGINT


def test_a_signal_that_is_not_allowed_is_an_error_in_words() -> None:
    if os.geteuid() == 0:
        pytest.skip("root may signal everybody")
    handle = os.pidfd_open(1)
    with pytest.raises(NotPermitted):
        handles.send(handle, signal.SIGTERM)
    os.close(handle)


def test_a_handle_on_nothing_is_refused() -> None:
    with pytest.raises(HostFault), handles.handle_on(None):
        pass


def test_run_becomes_the_keeper_in_the_foreground(home: Path) -> None:
    script = "import os, sys; print(os.getpid(), os.getcwd(), sys.orig_argv[1:], os.environ['TRANSCODER_RUN_DIR'])"
    code = (
        "import transcoder_tui.client.background as b, sys\n"
        f"b.KEEPER_ARGV = (sys.executable, '-c', {script!r})\n"
        "from transcoder_tui.cli import main\n"
        "sys.exit(main(['worker', 'run']))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        out, _ = process.communicate()
    assert out.split()[:2] == [str(process.pid), "/"]
    assert out.rstrip().endswith(str(home / "run"))
