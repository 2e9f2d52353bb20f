"""Logs under real conditions: a writer that never pauses, a worker that is killed, a disk that is full."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from transcoder_tui.worker import readers
from transcoder_tui.worker.logfile import ChannelLog
from transcoder_tui.worker.readers import StderrReader
from transcoder_tui.worker.trimming import collapse, cuttable

LINES = 600_000

FLOOD = f"""
import os
write = os.write
for number in range({LINES}):
    write(2, b"[info] line %07d " % number + b"x" * (number % 83) + b"\\n")
"""

WORKER = """
import sys
from pathlib import Path
from transcoder_tui.worker import logfile
from transcoder_tui.worker.logfile import ChannelLog
from transcoder_tui.worker.readers import StderrReader

directory = Path(sys.argv[1])
if sys.argv[2] == "rewritten":
    logfile.collapse = lambda descriptor, length: False
log = ChannelLog(directory / "channel.log", 100_000)
reader = StderrReader(directory / "stderr", directory / "offset", resume=True, log_end=log.end)
following = int((directory / "following").read_text())
number = int((directory / "number").read_text())
while number < 20_000:
    with open(directory / "stderr", "ab") as stderr:
        stderr.write(b"".join(b"line %06d %s\\n" % (n, b"x" * (n % 83)) for n in range(number, number + 100)))
    number += 100
    (directory / "number").write_text(str(number))
    log.write(reader.read(log_end=log.end))
    while (chunk := log.read(following, 1000)).lines:
        with open(directory / "seen", "a") as seen:
            seen.writelines(line + "\\n" for line in chunk.lines)
        following = chunk.next_offset
        (directory / "following").write_text(str(following))
"""

TINY_DISK = """
import os, subprocess, sys
from pathlib import Path
from transcoder_tui.worker.logfile import ChannelLog

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
log = ChannelLog(disk / "1-news.log", 300_000)
log.write(["first"])
with open(disk / "filler", "ab", buffering=0) as filler:
    while filler.write(bytes(4096)) == 4096 and os.statvfs(disk).f_bavail:
        pass
for number in range(300):
    log.write([f"line {number} {'x' * 100}"])
os.truncate(disk / "filler", 0)
log.write(["there is room"])
log.write(["last"])
first, *lines, torn, note, room, last = log.tail(1000).lines
print(first, len(lines), torn[:5], note, room, last, sep="\\n")
"""


def cuts_in_place(directory: Path) -> bool:
    with tempfile.TemporaryFile(dir=directory) as file:
        file.write(b"x" * 1_000_000)
        file.flush()
        return collapse(file.fileno(), cuttable(file.fileno(), 500_000))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A directory whose file system can cut a file in place."""
    for candidate in (tmp_path, Path("/var/tmp"), Path(__file__).parent):
        if os.access(candidate, os.W_OK) and cuts_in_place(candidate):
            with tempfile.TemporaryDirectory(dir=candidate, prefix=".log-trimming-") as directory:
                yield Path(directory)
            return
    pytest.skip("no file system here can cut a file in place; ext4 and XFS can")


class Greedy(StderrReader):
    """Leaves nothing out."""

    MAX_READ = MAX_LINES = 1 << 30


def test_no_line_of_a_writer_that_never_pauses_is_lost_over_many_cuts(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts = 0

    def counted(descriptor: int, length: int) -> bool:
        nonlocal cuts
        cuts += 1
        return collapse(descriptor, length)

    monkeypatch.setattr(readers, "collapse", counted)
    path = disk / "stderr"
    seen = 0
    with path.open("ab") as file, subprocess.Popen([sys.executable, "-c", FLOOD], stderr=file) as writer:
        reader = Greedy(path, disk / "offset", resume=False)
        is_over = False
        while not is_over:
            is_over = writer.poll() is not None
            for line in reader.read(final=is_over):
                assert line == f"[info] line {seen:07d} " + "x" * (seen % 83)
                seen += 1
            if cuts % 5 == 4:
                reader = Greedy(path, disk / "offset", resume=True)

    assert seen == LINES
    assert cuts > 10
    assert path.stat().st_size < LINES * 20, "what was read is gone, but for what came after the last cut"


def test_a_flood_leaves_both_files_small_and_is_followed_to_its_end(disk: Path) -> None:
    path = disk / "stderr"
    log = ChannelLog(disk / "1-news.log", 1_000_000)
    with path.open("ab") as file, subprocess.Popen([sys.executable, "-c", FLOOD], stderr=file) as writer:
        reader = StderrReader(path, disk / "offset", resume=False)
        is_over = False
        largest = 0
        while not is_over:
            is_over = writer.poll() is not None
            lines = reader.read(final=is_over, log_end=log.end)
            assert len(lines) <= StderrReader.MAX_LINES + 1
            log.write(lines)
            largest = max(largest, log.path.stat().st_size if lines else 0)
    reader.read(final=True)

    assert largest <= 1_000_000
    assert log.tail(1).lines[0].startswith(f"[info] line {LINES - 1:07d} ")
    assert path.stat().st_size < 2 * StderrReader.TRIM_AT


@pytest.mark.long
@pytest.mark.parametrize("way", ["cut in place", "rewritten"])
def test_killing_the_worker_at_a_cut_of_the_log_loses_no_line_and_doubles_none(disk: Path, way: str) -> None:
    for name in ("number", "following"):
        (disk / name).write_text("0")
    kills = 0
    armed = "off,kill"
    while True:
        environment = os.environ | {"TRANSCODER_FAILPOINTS": f"log.trim={armed}" if kills < 6 else ""}
        ended = subprocess.run([sys.executable, "-c", WORKER, disk, way], env=environment).returncode
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        assert (disk / "channel.log").stat().st_size <= 100_000
        kills += 1
        armed = "kill" if kills % 2 else "off,kill"

    assert kills == 6
    assert (disk / "seen").read_text().splitlines() == [f"line {n:06d} {'x' * (n % 83)}" for n in range(20_000)]


def namespaces_are_allowed() -> bool:
    if shutil.which("unshare") is None:
        return False
    mount = ["mount", "-t", "tmpfs", "tmpfs", tempfile.gettempdir()]
    return subprocess.run(["unshare", "--map-root-user", "--mount", *mount], capture_output=True).returncode == 0


def test_a_full_disk_costs_lines_and_neither_glues_two_nor_keeps_quiet_about_it(tmp_path: Path) -> None:
    if not namespaces_are_allowed():
        pytest.skip("needs a mount namespace of its own to mount a tiny disk in")
    run = subprocess.run(
        ["unshare", "--map-root-user", "--mount", sys.executable, "-c", TINY_DISK, tmp_path],
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stderr
    first, written, torn, note, room, last = run.stdout.splitlines()
    assert (first, torn, room, last) == ("first", "line ", "there is room", "last")
    assert f"{300 - int(written)} lines are missing here, which could not be written: No space left on device" in note
