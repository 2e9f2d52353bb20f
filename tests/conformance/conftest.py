"""The fixtures of the conformance suite, and the tables that it prints."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "integration" / "ffmpeg"))

from conformance_figures import Row, markdown_table, terminal_table
from conformance_rig import PACKAGES, Rig, tool_found, tool_path
from feeds import PCR_PID, PROGRAMME_RATE, SECOND_PROGRAM

from transcoder_tui.ffmpeg.binary import Binary, carried, inspect_binary
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.host import interfaces

PROPERTY = "conformance"
README = "CONFORMANCE_README"
"""Environment variable: a file whose short table is written anew, between :data:`MARKS`."""
MARKS = "<!-- conformance -->", "<!-- /conformance -->"
CLIP_S = 6
"""Seconds: 150 pictures and 250 frames of MPEG-1 layer II end together, so the loop has no seam of its own."""
PROGRAMME_S = 60
DEBIAN = Path("/usr/bin/ffmpeg")

PICTURE = (
    "testsrc2=s=480x270:r=25,noise=alls=12:allf=t,drawbox=w=iw/4:h=ih/4:color=black:t=fill,"
    "drawbox=w=iw/4:h=ih/4:color=white:t=fill:enable='lt(mod(t,1),0.2)'"
)
"""Busy, so that every rung needs its bitrate; its upper left corner is black and flashes white once a second."""
BEEP = "0.5*sin(2*PI*1000*t)*lt(mod(t,1),0.2)+0.003*(random({})-0.5)"
"""Beside each flash, and faint noise, so that the sound needs its bitrate."""


@pytest.fixture(scope="session", params=["debian", "carried"])
def binary(request: pytest.FixtureRequest) -> Binary:
    """Each FFmpeg that is supported and present."""
    if request.param == "carried":
        return inspect_binary(carried(), "carried")
    if not DEBIAN.exists():
        pytest.skip(f"there is no {DEBIAN}: apt install ffmpeg")
    return inspect_binary(DEBIAN, "PATH")


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A directory with ``clip.ts`` and ``programme.ts``, made once for all who run tests."""
    base = tmp_path_factory.getbasetemp()
    directory = (base if worker_id == "master" else base.parent) / "conformance-media"
    directory.mkdir(exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "made").exists():
            _make(directory / "clip.ts", CLIP_S)
            _make(directory / "programme.ts", PROGRAMME_S, "-muxrate", str(PROGRAMME_RATE))
            _make_mpts(directory / "mpts.ts", directory / "programme.ts")
            for name in ("programme.ts", "mpts.ts"):
                # When multicat is to send each datagram.
                subprocess.run(
                    [tool_path("ingests"), "-p", PCR_PID, str(directory / name)], check=True, capture_output=True
                )
            (directory / "made").touch()
    return directory


def _make(path: Path, seconds: int, *options: str) -> None:
    sound = f"aevalsrc='{BEEP.format(0)}|{BEEP.format(1)}':s=48000"
    video = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25", "-sc_threshold", "0")
    rate = ("-b:v", "1800k", "-maxrate", "1800k", "-bufsize", "1800k", "-c:a", "mp2", "-b:a", "192k")
    source = ("-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", sound, "-t", str(seconds))
    _ffmpeg(*source, *video, *rate, *options, "-f", "mpegts", str(path))


def _make_mpts(path: Path, programme: Path) -> None:
    other = ("-f", "lavfi", "-i", "testsrc2=s=320x240:r=25", "-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo")
    mapped = ("-map", "0", "-map", "1", "-map", "2:v", "-map", "2:a", "-c:v:1", "copy", "-c:a:1", "copy")
    encoded = ("-c:v:0", "libx264", "-preset:v:0", "ultrafast", "-b:v:0", "400k", "-g:v:0", "25", "-c:a:0", "mp2")
    first = ("-program", "program_num=1:title=First:st=0:st=1")
    second = ("-program", f"program_num=2:title={SECOND_PROGRAM}:st=2:st=3")
    rate = ("-muxrate", str(PROGRAMME_RATE + 1_400_000), "-t", str(PROGRAMME_S / 2), "-f", "mpegts")
    _ffmpeg(*other, "-i", str(programme), *mapped, *encoded, *first, *second, *rate, str(path))


def _ffmpeg(*arguments: str) -> None:
    argv = [tool_path("ffmpeg"), "-v", "error", "-y", *arguments]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, timeout=100)


@pytest.fixture
def rig(binary: Binary, media: Path, tmp_path: Path) -> Iterator[Rig]:
    """One case: this machine with roots of its own, and what is to be sent."""
    roots = [tmp_path / "media"]
    host = HostFacts(interfaces.addresses(), roots, tmp_path / "hls-root")
    for directory in (*roots, host.hls_root):
        directory.mkdir()
    made = Rig(binary, host, tmp_path, media / "clip.ts", media / "programme.ts")
    yield made
    made.close()


@pytest.fixture
def write_row(record_property: Callable[[str, object], None]) -> Callable[[Row], None]:
    """Writes a line of the table."""
    return lambda row: record_property(PROPERTY, row.to_json())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = any("conformance" in str(argument) for argument in config.invocation_params.args)
    if asked or os.environ.get("FFMPEGS") == "both":
        return
    here = Path(__file__).parent
    left = [item for item in items if item.path.is_relative_to(here) and not _is_quick(item)]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)


def _is_quick(item: pytest.Item) -> bool:
    """Whether every test run tries it: a few cases, with one of the two FFmpegs."""
    callspec = getattr(item, "callspec", None)
    version = callspec.params.get("binary") if callspec is not None else None
    return item.get_closest_marker("quick") is not None and version != "carried"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    rows = []
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            rows += [(outcome, Row.from_json(text)) for name, text in report.user_properties if name == PROPERTY]
    if not rows:
        return
    terminalreporter.section("conformance")
    missing = sorted({package for name, package in PACKAGES.items() if tool_found(name) is None})
    if missing:
        terminalreporter.write_line(f"Some cases were skipped for want of a program: apt install {' '.join(missing)}")
    for line in terminal_table(rows):
        terminalreporter.write_line(line)
    short = markdown_table([row for _, row in rows])
    for line in short:
        terminalreporter.write_line(line)
    if README in os.environ:
        _write_between_marks(Path(os.environ[README]), short)


def _write_between_marks(file: Path, lines: list[str]) -> None:
    before, _, rest = file.read_text().partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    file.write_text("".join([before, MARKS[0], "\n", *(f"{line}\n" for line in lines), MARKS[1], after]))
