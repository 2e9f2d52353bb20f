import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_rack import Rack, Run

from transcoder_tui import __version__, errors
from transcoder_tui.cli import channels, exit_codes
from transcoder_tui.cli.start_console import ConsoleOptions, console_options, parting_lines

PYTHON = [sys.executable, "-m", "transcoder_tui"]


def test_every_error_has_the_exit_code_of_the_manual() -> None:
    codes = {kind: exit_codes.code_of(kind("x")) for kind in errors.TranscoderError.__subclasses__()}

    assert codes == {
        errors.InvalidInput: 3,
        errors.NoSuchChannel: 4,
        errors.Conflict: 1,
        errors.NotPermitted: 1,
        errors.NoWorker: 5,
        errors.StoreUnavailable: 1,
        errors.SourceFault: 1,
        errors.HostFault: 1,
    }


@pytest.mark.parametrize(
    "arguments", [["nope"], ["channels", "--nope"], ["show"], ["logs", "1", "-n", "0"], ["--colour"], ["worker"]]
)
def test_a_wrong_command_line_is_a_usage_error_on_stderr(run: Run, arguments: list[str]) -> None:
    code, out, err = run(*arguments)

    assert (code, out) == (2, "")
    assert "Usage: transcoder-tui" in err


def test_version_and_help_need_no_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSCODER_LOG_LEVEL", "loud")

    assert run("--version") == (0, f"transcoder-tui {__version__}\n", "")
    code, out, _ = run("--help")
    assert code == 0
    for command in ("apply", "export", "channels", "show", "start", "stop", "restart", "delete", "logs", "command"):
        assert f"  {command} " in out


def test_a_wrong_setting_is_named_with_its_choices(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSCODER_LOG_LEVEL", "loud")

    code, out, err = run("channels")

    assert (code, out) == (3, "")
    assert "log_level: 'loud' is not one of the choices" in err


def test_the_settings_file_and_the_data_directory_can_be_named(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRANSCODER_RUN_DIR")
    (home / "other.toml").write_text(f'run_dir = "{home}/elsewhere"\n')

    assert f"{home}/elsewhere/worker.sock" in run("--config", home / "other.toml", "channels").err
    assert f"no file {home}/none.toml" in run("--config", home / "none.toml", "channels").err
    (home / "other.toml").write_text("")
    checks = run("--config", home / "other.toml", "--data-dir", home / "mine", "doctor", "--json").out
    assert f"{home}/mine is not there yet" in checks


def test_errors_as_json_are_the_error_document_of_the_api(run: Run) -> None:
    code, out, err = run("channels", "--json")

    assert (code, out) == (5, "")
    error = json.loads(err)["error"]
    assert (error["kind"], error["title"]) == ("no-worker", "The worker does not answer")
    assert set(error["faults"][0]) == {"fault", "remedy", "field"}


def test_what_nobody_foresaw_is_one_line_and_a_file_with_the_details(
    rack: Rack, run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(home))
    monkeypatch.setattr(channels, "flat", lambda *_: 1 / 0)
    monkeypatch.setattr(channels, "_row", lambda *_: 1 / 0)
    rack.add("News HD")

    code, out, err = run("channels")

    assert (code, out) == (1, "")
    _, fault = err.splitlines()
    assert fault.startswith("  unexpected: ZeroDivisionError: division by zero; the details are in ")
    assert "Traceback" in Path(fault.rpartition(" ")[2]).read_text()
    assert json.loads(run("channels", "--json").err)["error"]["kind"] == "failed"


def test_a_traceback_is_shown_to_whoever_asks_for_it(rack: Rack, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSCODER_DEBUG", "1")

    assert "Traceback" in run("show", "77").err


def test_a_worker_that_speaks_nonsense_is_no_reason_for_a_traceback(rack: Rack, run: Run) -> None:
    rack.refusals["GET", "/metrics"] = errors.Conflict([errors.Fault("\x1b[2Jbad", "no\nremedy", "a.b")])

    code, _, err = run("channels")

    assert (code, err) == (1, "Changed by somebody else\n  a.b: \ufffd[2Jbad; no remedy\n")


def test_the_console_needs_a_terminal(run: Run) -> None:
    for arguments in ([], ["--read-only"], ["--ascii", "--data-dir", "x"]):
        code, out, err = run(*arguments)
        assert (code, out) == (1, "")
        assert "the console needs a terminal" in err


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("", ConsoleOptions()),
        ("--read-only --ascii", ConsoleOptions(read_only=True, ascii=True)),
        ("--data-dir /srv --config=x.toml", ConsoleOptions(data_dir="/srv", config="x.toml")),
        ("--data-dir", None),
        ("--data-dir=", None),
        ("--help", None),
        ("--version", None),
        ("--data-dir /srv channels", None),
        ("channels --ascii", None),
        ("--asci", None),
    ],
)
def test_what_only_opens_the_console_is_told_from_commands(arguments: str, options: ConsoleOptions | None) -> None:
    assert console_options(arguments.split()) == options


def test_leaving_the_console_says_what_goes_on_and_how_to_end_it() -> None:
    assert parting_lines("3 channels stay on air.", started=False, data_dir=None) == [
        "3 channels stay on air.",
        "Stop them with: transcoder-tui stop --all",
    ]
    assert parting_lines("1 channel stays on air.", started=True, data_dir="/srv/my tv") == [
        "1 channel stays on air.",
        "Stop them with: transcoder-tui --data-dir '/srv/my tv' stop --all",
        "The worker runs on in the background; end it with: transcoder-tui --data-dir '/srv/my tv' worker stop",
    ]
    assert parting_lines("No channel is on air.", started=False, data_dir=None) == ["No channel is on air."]
    assert parting_lines("", started=False, data_dir=None) == []


def test_the_way_to_the_console_imports_nothing_heavy() -> None:
    heavy = {"typer", "click", "httpx", "pydantic_settings", "yaml", "rich", "asyncio", "fastapi", "sqlmodel"}
    script = (
        "import sys; from transcoder_tui.cli import main\n"
        "import transcoder_tui.cli.start_console as s\n"
        "s.open_console = lambda options: print(options, *sys.modules) or 0\n"
        "main(['--ascii'])"
    )

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert "ascii=True" in loaded
    assert heavy.isdisjoint(loaded.split())


def test_help_imports_no_client_and_no_settings() -> None:
    script = "import sys; from transcoder_tui.cli import main; main(['--help']); print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert "typer" in loaded.split()
    assert {"httpx", "pydantic_settings", "yaml", "textual"}.isdisjoint(loaded.split())


def test_commands_import_no_part_of_the_server(home: Path) -> None:
    script = (
        "import sys; from transcoder_tui.cli import app, channels, lineup, logs, machine, orders, worker, problems;"
        "print(*sys.modules)"
    )

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()

    assert {"sqlmodel", "sqlalchemy", "fastapi", "uvicorn", "textual", "psutil"}.isdisjoint(loaded)


def test_the_shells_completion_does_not_open_the_console(home: Path) -> None:
    asked = {"_TRANSCODER_TUI_COMPLETE": "complete_bash", "COMP_WORDS": "transcoder-tui ch", "COMP_CWORD": "1"}
    environment = os.environ | asked

    done = subprocess.run(PYTHON, env=environment, capture_output=True, text=True, check=False)

    assert done.stdout.split() == ["channels"]


def test_a_locale_without_the_signs_gets_ascii(rack: Rack, home: Path) -> None:
    rack.add_on_air("Früh")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}

    done = subprocess.run([*PYTHON, "channels"], env=environment, capture_output=True, text=True, check=True)

    assert "* running  Fr\\xfch" in done.stdout
