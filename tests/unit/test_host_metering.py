"""Programs that are metered: what they used is told, and they never outlive the one who looks."""

import os
import signal
import sys
from pathlib import Path

import pytest

from transcoder_tui.host import metering
from transcoder_tui.host.metering import Metered, run_metered

BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint('done')"
ENDLESS = "import sys, time\nprint('up', flush=True)\ntime.sleep(600)"


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-c", code]


def test_the_cpu_time_of_a_program_is_told_however_long_it_waits_for_a_core() -> None:
    used = run_metered(python(BUSY), {}, limit_s=60)

    assert used.exit_code == 0
    assert used.output == b"done\n"
    assert 0.3 <= used.cpu_s < 1.5
    assert used.wall_s >= used.cpu_s * 0.9
    assert used.peak_rss > 1_000_000


def test_what_a_program_complains_of_is_told() -> None:
    used = run_metered(python("import sys; sys.exit('no such thing')"), {}, limit_s=60)

    assert (used.exit_code, used.errors) == (1, "no such thing\n")


def test_a_program_that_takes_too_long_is_told_to_end() -> None:
    assert run_metered(python(ENDLESS), {}, limit_s=0.2).exit_code == -signal.SIGTERM


def test_a_program_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metering, "MERCY_S", 0.2)
    deaf = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{ENDLESS}"

    assert run_metered(python(deaf), {}, limit_s=1.0).exit_code == -signal.SIGKILL


def test_a_program_ends_where_its_watcher_is_interrupted(tmp_path: Path) -> None:
    code = f"import os, pathlib\npathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n{ENDLESS}"

    with pytest.raises(KeyboardInterrupt), Metered(python(code), {}):
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            os.sched_yield()
        raise KeyboardInterrupt

    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_an_interruption_while_a_program_starts_leaves_none_behind(tmp_path: Path) -> None:
    """The program was already there, and nobody knew its pid yet."""
    interrupt = f"import os, signal\nos.kill({os.getpid()}, signal.SIGINT)\n{ENDLESS}"
    before = _children()

    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            run_metered(python(interrupt), {}, limit_s=60)

    assert _children() == before


def _children() -> set[str]:
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def test_a_program_is_put_behind_all_others() -> None:
    used = run_metered(python("import os, time; time.sleep(0.3); print(os.nice(0))"), {}, limit_s=60, nice=19)

    assert used.output == b"19\n"
