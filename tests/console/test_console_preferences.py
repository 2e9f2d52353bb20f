import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from transcoder_tui import locks
from transcoder_tui.console import preferences
from transcoder_tui.console.preferences import REMEMBERED, Preferences


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "config" / "console.toml"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "state" / "console.json"


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_without_files_the_defaults_hold(written: Path, kept: Path) -> None:
    found = Preferences.load(written, kept)
    assert (found.theme, found.bell, found.flash, found.sort, found.reverse) == ("", True, True, "name", False)
    assert found.notices == []
    assert not kept.parent.exists()


def test_what_a_person_wrote_is_in_force(written: Path, kept: Path) -> None:
    write(written, 'theme = "day"\nbell = false\n[keys]\nstart = "w"\nsort-name = ["N", "f3"]\n')
    found = Preferences.load(written, kept)
    assert (found.theme, found.bell, found.flash) == ("day", False, True)
    assert found.keys == {"start": ("w",), "sort-name": ("N", "f3")}
    assert found.notices == []


def test_what_the_console_keeps_is_there_the_next_time(written: Path, kept: Path) -> None:
    first = Preferences.load(written, kept)
    first.keep(sort="bitrate", reverse=True, wrap=True, timestamps=False, bell=False)
    for line in ("news", "src:239", "news"):
        first.remember("filters", line)
    first.remember("commands", "start news*")
    again = Preferences.load(written, kept)
    assert (again.sort, again.reverse, again.wrap, again.timestamps, again.bell) == (
        "bitrate",
        True,
        True,
        False,
        False,
    )
    assert again.filters == ["src:239", "news"]
    assert again.commands == ["start news*"]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in kept.parent.iterdir()) == ["console.json", "console.lock"]


def test_a_choice_in_the_console_holds_until_the_person_writes_something_else(written: Path, kept: Path) -> None:
    write(written, 'theme = "night"\n')
    Preferences.load(written, kept).keep(theme="day")
    assert Preferences.load(written, kept).theme == "day"
    write(written, 'theme = "clear"\n')
    assert Preferences.load(written, kept).theme == "clear"


def test_consoles_beside_each_other_keep_each_others_lines(written: Path, kept: Path) -> None:
    one, other = Preferences.load(written, kept), Preferences.load(written, kept)
    one.remember("commands", "start 1")
    other.remember("commands", "stop 2")
    one.keep(sort="fps")
    other.keep(wrap=True)
    found = Preferences.load(written, kept)
    assert found.commands == ["start 1", "stop 2"]
    assert (found.sort, found.wrap) == ("fps", True)
    assert one.commands == ["start 1"], "what this console typed stands first when it asks for the line before"


def test_processes_that_write_at_the_same_time_lose_nothing(kept: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from transcoder_tui.console.preferences import Preferences\n"
        "held = Preferences.load(Path('/nonexistent'), Path(sys.argv[1]))\n"
        "for number in range(15): held.remember('commands', f'{sys.argv[2]} {number}')\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(kept), name]) for name in ("a", "b", "c")]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert sorted(json.loads(kept.read_text())["commands"]) == sorted(f"{n} {i}" for n in "abc" for i in range(15))


def test_a_console_that_was_stopped_with_the_lock_in_its_hand_stops_no_other(kept: Path) -> None:
    kept.parent.mkdir()
    held = locks.take(kept.with_suffix(".lock"))
    assert held is not None
    Preferences(kept=kept).remember("filters", "news")
    os.close(held)
    assert json.loads(kept.read_text())["filters"] == ["news"]


def test_histories_are_bounded_and_take_no_rubbish(written: Path, kept: Path) -> None:
    found = Preferences.load(written, kept)
    for rubbish in ("", "  ", "a\x1b[31m", "x" * 5000, "one\ntwo"):
        found.remember("filters", rubbish)
    assert not kept.exists()
    write(kept, json.dumps({"filters": [f"line {number}" for number in range(1000)]}))
    found = Preferences.load(written, kept)
    found.remember("filters", "last")
    assert len(json.loads(kept.read_text())["filters"]) == len(found.filters) == REMEMBERED
    assert found.filters[-2:] == ["line 999", "last"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("theme = night", "cannot be read"),
        ('theme = "night"\ntheme = "day"', "cannot be read"),
        ("colour = 1", "there is no setting 'colour'; known are theme, bell, flash, [keys]"),
        ('bell = "yes"', "bell = 'yes' is not used; write true or false"),
        ("theme = 7", 'theme = 7 is not used; write a text in quotes, such as "night"'),
        ("keys = 7", "there is no setting"),
        ("[keys]\nstart = 7", "keys.start is not used; write a key"),
        ("[keys]\nstart = []", "keys.start is not used; write a key"),
        ('"\\u001b[2J" = 1', "there is no setting '\\x1b[2J'"),
        ("a = " + "[" * 5000, "cannot be read"),
        ("\ud800", "cannot be read"),
    ],
)
def test_what_is_wrong_in_the_written_file_is_told_and_the_rest_holds(
    written: Path, kept: Path, text: str, said: str
) -> None:
    written.parent.mkdir()
    written.write_bytes(text.encode(errors="surrogatepass"))
    found = Preferences.load(written, kept)
    assert (found.theme, found.bell) == ("", True)
    assert [notice for notice in found.notices if said in notice] == found.notices != []
    assert "\x1b" not in found.notices[0]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "\x00\x01", '{"sort": 5, "filters": "x", "chosen": [1], "wrap": "yes"}', "[" * 10**5],
)
def test_a_damaged_memory_begins_anew(written: Path, kept: Path, text: str) -> None:
    write(kept, text)
    found = Preferences.load(written, kept)
    assert (found.sort, found.filters, found.wrap) == ("name", [], False)
    assert len(found.notices) <= 1
    found.keep(sort="fps", theme="day")
    assert Preferences.load(written, kept).sort == "fps"


def test_files_that_are_none_and_cannot_be_written_are_told_once(written: Path, kept: Path) -> None:
    written.parent.mkdir()
    os.mkfifo(written)
    kept.parent.mkdir()
    kept.mkdir()
    found = Preferences.load(written, kept)
    assert len(found.notices) == 2
    told: list[str] = []
    found.tell = told.append
    found.keep(sort="fps")
    found.remember("filters", "news")
    assert (found.sort, found.filters) == ("fps", ["news"])
    assert len(told) == 1
    assert "Nothing is kept for your next console" in told[0]


def test_a_user_without_a_home_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = Preferences.load(Path("~/console.toml"), Path("~/state/console.json"))
    found.keep(sort="fps")
    assert (found.sort, found.notices, list(tmp_path.iterdir())) == ("fps", [], [])


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    write(tmp_path / "file", "")
    told: list[str] = []
    Preferences(kept=tmp_path / "file" / "console.json", tell=told.append).keep(wrap=True)
    assert len(told) == 1


def test_the_files_lie_where_the_user_keeps_such_things(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    assert preferences.written_file() == Path("/c/transcoder-tui/console.toml")
    assert preferences.kept_file() == Path("/s/transcoder-tui/console.json")
