"""Where settings come from, and what is said of wrong ones."""

from pathlib import Path

import pytest

from transcoder_tui.errors import HostFault, InvalidInput
from transcoder_tui.settings import PATHS, Settings, describe_settings, load_settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("TRANSCODER_CONFIG", raising=False)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_without_any_setting_everything_lies_below_the_state_directory(tmp_path: Path) -> None:
    settings = load_settings()

    assert settings.data_dir == tmp_path / "state" / "transcoder-tui"
    assert settings.hls == settings.data_dir / "hls"
    assert settings.media == [settings.data_dir / "media"]
    assert settings.socket == settings.run_path / "worker.sock"
    assert (settings.watchdog.startup_s, settings.retry.attempts, settings.log.max_bytes) == (15, 5, 10_000_000)


def test_arguments_come_before_the_environment_and_that_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path / "config" / "transcoder-tui" / "settings.toml",
        'data_dir = "/file"\nlog_level = "debug"\n[retry]\nattempts = 7\nmax_delay_s = 60\n',
    )
    monkeypatch.setenv("TRANSCODER_DATA_DIR", "/environment")
    monkeypatch.setenv("TRANSCODER_RETRY__ATTEMPTS", "9")

    settings = load_settings(data_dir="/argument")

    assert settings.data_dir == Path("/argument")
    assert settings.retry.attempts == 9
    assert settings.retry.max_delay_s == 60
    assert settings.log_level == "debug"
    assert load_settings().data_dir == Path("/environment")


def test_relative_paths_of_a_file_belong_to_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "etc" / "rack.toml", 'hls_root = "hls"\nmedia_roots = ["a", "/b"]\n[ffmpeg]\npath = "ff"\n')
    monkeypatch.setenv("TRANSCODER_CONFIG", str(file))

    settings = load_settings()

    assert settings.hls == file.parent / "hls"
    assert settings.media == [file.parent / "a", Path("/b")]
    assert settings.ffmpeg.path == file.parent / "ff"


def test_every_path_among_the_settings_is_known_as_one() -> None:
    found = set()
    for name, field in Settings.model_fields.items():
        annotation = str(field.annotation)
        if "Path" in annotation:
            found.add(("", name))
        for inner, inner_field in getattr(field.annotation, "model_fields", {}).items():
            if "Path" in str(inner_field.annotation):
                found.add((name, inner))
    assert found == set(PATHS)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[retry]\nattemps = 5\n", "retry.attemps: is not known here"),
        ('[retry]\nattempts = "many"\n', "retry.attempts: 'many' is not a whole number"),
        ("[watchdog]\nstall_s = 0\n", "watchdog.stall_s: "),
        ('log_level = "loud"\n', "log_level: 'loud' is not one of the choices"),
        ("[retry\n", "settings: the settings file cannot be read"),
    ],
)
def test_a_wrong_setting_is_named(text: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSCODER_CONFIG", str(write(tmp_path / "s.toml", text)))

    with pytest.raises(InvalidInput) as refusal:
        load_settings()

    assert str(refusal.value).startswith(fault)


def test_a_file_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSCODER_CONFIG", "/no/such/file.toml")

    with pytest.raises(HostFault, match=r"/no/such/file\.toml"):
        load_settings()


def test_a_socket_path_that_the_system_cannot_hold_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(HostFault) as refusal:
        load_settings(run_dir=tmp_path / ("x" * 120))

    assert "TRANSCODER_RUN_DIR" in refusal.value.faults[0].remedy


def test_every_setting_is_documented() -> None:
    described = describe_settings(load_settings())

    assert described
    assert [setting.name for setting in described if not setting.help] == []
