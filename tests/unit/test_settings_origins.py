"""Where each setting comes from."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from transcoder_tui.models.setting import Setting
from transcoder_tui.settings import Settings, describe_settings, load_settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("TRANSCODER_CONFIG", raising=False)


def told(**arguments: str) -> dict[str, Setting]:
    return {setting.name: setting for setting in describe_settings(load_settings(**arguments))}


def test_nothing_that_is_set_is_at_its_default(tmp_path: Path) -> None:
    settings = told()

    assert all(setting.is_default and setting.value == setting.default for setting in settings.values())
    assert settings["data_dir"].value == str(tmp_path / "state" / "transcoder-tui")
    assert settings["hls_root"].value is None
    assert settings["retry.attempts"].help.startswith("Consecutive failures")


def test_each_says_which_of_the_sources_it_is_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('log_level = "debug"\nmedia_roots = ["media"]\n[retry]\nattempts = 7\nmax_delay_s = 60\n')
    monkeypatch.setenv("TRANSCODER_CONFIG", str(file))
    monkeypatch.setenv("TRANSCODER_RETRY__ATTEMPTS", "9")
    monkeypatch.setenv("TRANSCODER_WATCHDOG", '{"stall_s": 20}')
    monkeypatch.setenv("transcoder_backup__keep", "3")

    settings = told(data_dir=str(tmp_path))

    origins = {name: (setting.value, setting.origin) for name, setting in settings.items() if not setting.is_default}
    assert origins == {
        "data_dir": (str(tmp_path), "argument"),
        "log_level": ("debug", f"file {file}"),
        "media_roots": ([str(tmp_path / "media")], f"file {file}"),
        "retry.attempts": (9, "environment TRANSCODER_RETRY__ATTEMPTS"),
        "retry.max_delay_s": (60, f"file {file}"),
        "watchdog.stall_s": (20, "environment TRANSCODER_WATCHDOG"),
        "backup.keep": (3, "environment transcoder_backup__keep"),
    }


def test_what_has_changed_since_the_start_is_not_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(data_dir=str(tmp_path))
    monkeypatch.setenv("TRANSCODER_RETRY__ATTEMPTS", "9")

    assert {entry.name: entry for entry in describe_settings(settings)}["retry.attempts"].origin == "default"


class Secretive(Settings):
    """With a setting that nobody may read."""

    token: SecretStr = SecretStr("correct-horse")
    """Opens everything."""


def test_secrets_are_masked(tmp_path: Path) -> None:
    text = str(describe_settings(Secretive(data_dir=tmp_path)))

    assert "token" in text
    assert "correct-horse" not in text
