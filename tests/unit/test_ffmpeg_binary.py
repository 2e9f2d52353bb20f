import dataclasses
from pathlib import Path

import pytest
from ffmpeg_samples import BINARY

from transcoder_tui.errors import HostFault
from transcoder_tui.ffmpeg.binary import find_binary, inspect_binary

MODERN = "libavutil      57. 28.100 / 57. 28.100"
OLD = "libavutil      56. 31.100 / 56. 31.100"


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def stand_in(path: Path, avutil: str = MODERN, encoders: str = "libx264 aac", runs: str = "exit 0") -> Path:
    """A program that answers as an FFmpeg would; for what cannot be had as a real one here."""
    lines = "\n".join(f" V....D {name}  x" for name in encoders.split())
    return script(
        path,
        f"""case "$*" in
-version) printf 'ffmpeg version 4.2.2-static https://x\\nbuilt with gcc\\n{avutil}\\n';;
*-encoders*) printf '%s\\n' '{lines}';;
*) {runs};;
esac""",
    )


def fault_of(path: Path) -> tuple[str, str]:
    with pytest.raises(HostFault) as refused:
        inspect_binary(path, "settings")
    (fault,) = refused.value.faults
    assert fault.field == "ffmpeg.path"
    assert fault.remedy
    return fault.fault, fault.remedy


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert fault_of(tmp_path / "none")[0] == f"there is no file {tmp_path / 'none'}"


def test_a_file_that_is_not_executable_comes_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "ffmpeg"
    path.write_text("x")

    assert fault_of(path) == (f"{path} is not executable", f"chmod +x {path}")


def test_a_program_that_is_no_ffmpeg_is_refused(tmp_path: Path) -> None:
    assert fault_of(script(tmp_path / "x", "echo hello"))[0].endswith("is not an FFmpeg")


def test_a_file_that_the_system_cannot_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ffmpeg"
    path.write_bytes(b"\x7fELF garbage")
    path.chmod(0o755)

    assert "cannot be run" in fault_of(path)[0]


def test_an_ffmpeg_older_than_4_4_is_refused(tmp_path: Path) -> None:
    assert "older than 4.4" in fault_of(stand_in(tmp_path / "ffmpeg", OLD))[0]


def test_an_ffmpeg_without_x264_is_refused(tmp_path: Path) -> None:
    assert fault_of(stand_in(tmp_path / "ffmpeg", encoders="aac mpeg2video"))[0].endswith("has no encoder libx264")


def test_an_ffmpeg_that_crashes_on_a_transport_stream_gets_what_it_needs(tmp_path: Path) -> None:
    path = stand_in(
        tmp_path / "ffmpeg",
        runs='case "$*$GCONV_PATH" in *-i?file:*/nonexistent) ;; *-i?file:*) kill -SEGV $$;; esac',
    )

    assert inspect_binary(path, "settings").environment == {"GCONV_PATH": "/nonexistent"}


def test_an_ffmpeg_that_crashes_in_any_case_is_refused(tmp_path: Path) -> None:
    path = stand_in(tmp_path / "ffmpeg", runs='case "$*" in *-i?file:*) kill -SEGV $$;; esac')

    assert "cannot transcode a test picture" in fault_of(path)[0]


def test_the_setting_comes_before_everything_else(tmp_path: Path) -> None:
    with pytest.raises(HostFault):
        find_binary(tmp_path / "none")


def test_an_old_ffmpeg_on_path_gives_way_to_the_carried_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path / "ffmpeg", OLD)
    monkeypatch.setenv("PATH", str(tmp_path))

    found = find_binary(None)

    assert found.origin == "carried"
    assert found.avutil >= (56, 70)


def test_a_new_one_on_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stand_in(tmp_path / "ffmpeg")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    found = find_binary(None)

    assert (found.origin, found.path) == ("PATH", path)
    assert found.environment == {}


@pytest.mark.parametrize(
    ("version", "avutil", "release"),
    [
        ("5.1.9-0+deb12u1", (57, 28), "5.1"),
        ("n9.0.2-17-g2a571b6068-20260930", (61, 1), "9.0"),
        ("N-66595-gc2b38619c0-static", (56, 70), "4.4"),
        ("git-2020-01-01", (58, 29), "6.1"),
        ("git-2030-01-01", (60, 99), "8"),
        ("12.0", (64, 0), "newer than 9"),
    ],
)
def test_the_release_is_told_by_libavutil_where_the_version_does_not_help(
    version: str, avutil: tuple[int, int], release: str
) -> None:
    assert dataclasses.replace(BINARY, version=version, avutil=avutil).release == release
