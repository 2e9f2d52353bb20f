import fcntl
import json
from pathlib import Path

import pytest
from cli_rack import Rack, Run


def test_the_machine_is_examined_without_a_worker(run: Run) -> None:
    code, out, _ = run("doctor", "--json")

    checks = {check["name"]: check for check in json.loads(out)}
    assert {"ffmpeg", "encoders", "worker", "interfaces", "multicast route", "open files", "data directory"} <= set(
        checks
    )
    assert all(set(check) == {"name", "ok", "finding", "remedy"} for check in checks.values())
    assert checks["ffmpeg"]["ok"] is True
    assert "libx264" in checks["encoders"]["finding"]
    assert checks["worker"]["ok"] is None
    assert "worker start" in checks["worker"]["remedy"]
    assert code == (1 if any(check["ok"] is False for check in checks.values()) else 0)


def test_a_worker_that_answers_is_found_and_so_is_the_lack_of_its_keeper(rack: Rack, run: Run, home: Path) -> None:
    def worker_check() -> dict[str, object]:
        return {check["name"]: check for check in json.loads(run("doctor", "--json").out)}["worker"]

    alone = worker_check()
    with (home / "run" / "keeper.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = worker_check()

    assert (alone["ok"], kept["ok"]) == (False, True)
    assert "worker start" in str(alone["remedy"])


def test_a_fault_is_marked_in_words_with_its_remedy_and_makes_the_exit_code(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "ffmpeg").write_text("#!/bin/sh\necho I am a teapot\n")
    (home / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("TRANSCODER_FFMPEG__PATH", str(home / "ffmpeg"))

    code, out, err = run("doctor")

    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0].split() == ["✖", "fault", "ffmpeg", f"{home}/ffmpeg", "is", "not", "an", "FFmpeg"]
    assert "TRANSCODER_FFMPEG__PATH" in lines[1]


def test_advice_alone_is_no_failure(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from transcoder_tui.cli import doctor
    from transcoder_tui.host.checks import Check

    monkeypatch.setattr(doctor, "machine_checks", lambda *_: [Check("run directory", None, "on a disk", "use tmpfs")])

    code, out, _ = run("doctor")

    assert code == 0
    assert "note   run directory  on a disk" in out
