"""The systemd unit that is shipped."""

import getpass
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from transcoder_tui.worker.keeper import EXIT_ORDERED, SILENT_KILL_S, SILENT_S, START_UP_S

UNIT = Path(__file__).parents[2] / "data" / "systemd" / "transcoder-tui.service"


def setting(name: str) -> str:
    [value] = [line.partition("=")[2] for line in UNIT.read_text().splitlines() if line.startswith(f"{name}=")]
    return value


def test_systemd_understands_every_line_of_it(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    text = UNIT.read_text().replace("/usr/local/bin/transcoder-tui", sys.executable)
    text = text.replace("=transcoder\n", f"={getpass.getuser()}\n")
    (tmp_path / UNIT.name).write_text(text)

    verified = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / UNIT.name], capture_output=True, text=True, check=False
    )

    # Known from systemd 254 on; as the unit says, older ones go without.
    complaints = [line for line in verified.stderr.splitlines() if "Unknown key 'DelegateSubgroup'" not in line]
    assert (verified.returncode, complaints) == (0, [])


def test_it_agrees_with_the_keeper() -> None:
    assert setting("SuccessExitStatus") == setting("RestartPreventExitStatus") == str(EXIT_ORDERED)
    assert float(setting("WatchdogSec")) > SILENT_S + SILENT_KILL_S
    assert float(setting("TimeoutStartSec")) > START_UP_S
