"""What the console costs: beside a bare Textual app, and beside the same table on Textual's DataTable.

``make bench-console``, or ``python tests/bench/bench_console.py [--count 1000] [--window 10] [--deltas 3600]``.

* **First paint**: from the start of the process until the terminal is given the first words; medians of both programs
  in turn. The goal is a ratio.
* **Table**: a real worker with fake FFmpegs, all of which change each second, and a terminal of 120x40: CPU time of the
  process, bytes that it writes, the lag of its event loop (overshoot of a sleep of 20 ms), and the time from a key to
  the next output. The console shows the machine and a log as well, the DataTable only itself.
* **Log**: the pane alone on a log of 10 MB: from the key that opens it until its last line is on the terminal; then,
  while another process appends lines at a steady rate, lag and memory.
* **An hour**: a stand-in for the worker speaks as fast as the console listens, 3,600 messages in which every channel
  changes; memory at the end.

Everything else that runs on the machine makes times and lags longer, less so the CPU time.
"""

import argparse
import compileall
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import measuring
from fake_ffmpeg import fake_ffmpeg
from racks import OurRack, until
from terminals import Terminal

import transcoder_tui

BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("PAINTED")
Bare().run()
"""
CONSOLE = """
from transcoder_tui.console.app import run_console
def connect():
    from transcoder_tui.client.client import WorkerClient
    from pathlib import Path
    return WorkerClient(Path("/nonexistent/worker.sock"))
run_console(connect)
"""
PROGRAMS = str(Path(__file__).with_name("console_programs.py"))
SPEAKER = str(Path(__file__).with_name("speaker.py"))
APPENDER = """
import sys, time
file, rate, seconds = open(sys.argv[1], "a"), int(sys.argv[2]), int(sys.argv[3])
line = "2026-11-22T14:15:16.000Z info    [mpegts @ 0x55] line %09d " + "x" * 60
count, begun = 0, time.monotonic()
for tenth in range(seconds * 10):
    file.write("".join(line % (count + number) + "\\n" for number in range(rate // 10)))
    file.flush()
    count += rate // 10
    time.sleep(max(0, begun + (tenth + 1) / 10 - time.monotonic()))
"""
KEYS = 100
LOG_BYTES = 10_000_000
LINES_PER_S = 20_000
FOLLOW_S = 8
GOAL_PAINT = 1.3
GOAL_CPU = 0.3
GOAL_BYTES = 8_000
GOAL_KEY_S = 0.015
GOAL_LAG_S = 0.005
GOAL_OPEN_S = 0.050
GOAL_LOG_MB = 15.0
GOAL_RSS_MB = 90.0


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure, and what it should be at the most."""

    name: str
    figure: float
    most: float
    unit: str = ""

    def __str__(self) -> str:
        verdict = "met" if self.figure <= self.most else "NOT MET"
        return f"{self.name:52} {self.figure:9.2f} {self.unit:5} goal {self.most:g}: {verdict}"


@dataclass(frozen=True, slots=True)
class Table:
    """What a table costs."""

    cpu: float
    """Percent of a core."""
    octets: float
    """Bytes a second."""
    key_s: float
    """95th percentile."""
    lag_s: float
    """99th percentile."""
    rss: int


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def lags(pid: int, figures: Path) -> list[float]:
    """The lags since the last time that one asked, in seconds."""
    figures.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    until(lambda: figures.exists() and figures.stat().st_size > 0, 0.02)
    time.sleep(0.1)
    found: list[float] = json.loads(figures.read_text())
    return found


def first_paint(runs: int) -> Iterator[Goal]:
    """Both programs in turn, of modules that are compiled, as those that pip installs."""
    compileall.compile_dir(Path(transcoder_tui.__file__).parent, quiet=1)
    taken: dict[str, list[float]] = {BARE: [], CONSOLE: []}
    for _ in range(runs):
        for program, words in ((BARE, b"PAINTED"), (CONSOLE, b"transcoder-tui")):
            with closing(Terminal([sys.executable, "-c", program])) as terminal:
                taken[program].append(terminal.until(words))
    bare, console = (statistics.median(values) for values in taken.values())
    print(f"first paint: bare Textual app {bare * 1e3:.0f} ms, console {console * 1e3:.0f} ms")
    yield Goal("first paint over the bare app", console / bare, GOAL_PAINT)


def table(program: str, socket: Path, words: bytes, window: float, figures: Path) -> Table:
    """Measures one program on a worker whose channels all run."""
    with closing(Terminal([sys.executable, PROGRAMS, program, str(socket), str(figures)])) as terminal:
        terminal.until(words)
        time.sleep(3.0)
        lags(terminal.pid, figures)
        octets, cpu, begun = terminal.octets, measuring.cpu_s(terminal.pid), time.monotonic()
        time.sleep(window)
        taken = time.monotonic() - begun
        used = (measuring.cpu_s(terminal.pid) - cpu) / taken * 100
        written = (terminal.octets - octets) / taken
        lag = percentile(lags(terminal.pid, figures), 99)
        keys = []
        for _ in range(KEYS):
            time.sleep(random.uniform(0.05, 0.15))
            keys.append(terminal.press(b"\x1b[B"))
        rss = measuring.memory_of([terminal.pid]).rss
    found = Table(used, written, percentile(keys, 95), lag, rss)
    print(
        f"{program:8} {found.cpu:5.1f} % of a core, {found.octets:7.0f} B/s, key p95 {found.key_s * 1e3:5.1f} ms, "
        f"lag p99 {found.lag_s * 1e3:5.1f} ms, {found.rss / 1e6:.0f} MB"
    )
    return found


def tables(count: int, window: float, work: Path) -> Iterator[Goal]:
    """The console beside the DataTable, on a real worker."""
    rack = OurRack(count, fake_ffmpeg(work), at_once=10_000, silent=True)
    with closing(rack):
        rack.open()
        rack.order_all()
        until(lambda: rack.running() == count, 1.0)
        print(f"{count} channels that change each second, 120x40:")
        figures = work / "lags.json"
        ours = table("console", rack.settings.socket, b"Channel 0001", window, figures)
        theirs = table("table", rack.settings.socket, b"Channel 0001", window, figures)
    yield Goal("CPU over DataTable's", ours.cpu / theirs.cpu, GOAL_CPU)
    yield Goal("bytes a second", ours.octets, GOAL_BYTES, "B/s")
    yield Goal("key to paint, p95", ours.key_s * 1e3, GOAL_KEY_S * 1e3, "ms")
    yield Goal("lag of the loop, p99", ours.lag_s * 1e3, GOAL_LAG_S * 1e3, "ms")


def log(work: Path) -> Iterator[Goal]:
    """The log pane on 10 MB, then while lines pour in."""
    file, figures = work / "channel.log", work / "lags.json"
    line = "2026-11-22T14:15:16.000Z info    [hls @ 0x55] line {:09} " + "y" * 60 + "\n"
    number = LOG_BYTES // len(line.format(0)) - 1
    file.write_text("".join(line.format(at) for at in range(number)))
    with closing(Terminal([sys.executable, PROGRAMS, "log", str(file), str(figures)])) as terminal:
        terminal.until(b"\x1b[40;1H")
        time.sleep(1.0)
        before = measuring.memory_of([terminal.pid]).rss
        begun = time.perf_counter() - terminal.begun
        terminal.press(b"x")
        opened = terminal.until(f"{number - 1:09}".encode()) - begun
        lags(terminal.pid, figures)
        with subprocess.Popen([sys.executable, "-c", APPENDER, str(file), str(LINES_PER_S), str(FOLLOW_S)]):
            time.sleep(FOLLOW_S)
        terminal.until(f"{LINES_PER_S * FOLLOW_S - 1:09}".encode())
        lag = percentile(lags(terminal.pid, figures), 99)
        grown = (measuring.memory_of([terminal.pid]).rss - before) / 1e6
    yield Goal("log of 10 MB: key to its last line", opened * 1e3, GOAL_OPEN_S * 1e3, "ms")
    yield Goal(f"log: lag p99 at {LINES_PER_S} lines/s", lag * 1e3, GOAL_LAG_S * 1e3, "ms")
    yield Goal("log: memory on top", grown, GOAL_LOG_MB, "MB")


def hour(count: int, deltas: int, work: Path) -> Iterator[Goal]:
    """An hour's messages as fast as they are taken."""
    socket, figures = work / "speaker.sock", work / "lags.json"
    speaker = subprocess.Popen([sys.executable, SPEAKER, str(socket), str(count), str(deltas)])
    try:
        until(socket.exists, 0.05)
        with closing(Terminal([sys.executable, PROGRAMS, "console", str(socket), str(figures)])) as terminal:
            begun = time.monotonic()
            terminal.until(b"Channel 0001")
            first = measuring.memory_of([terminal.pid]).rss
            speaker.wait()
            rss = measuring.memory_of([terminal.pid]).rss
    finally:
        speaker.kill()
        speaker.wait()
    print(f"{deltas} messages in {time.monotonic() - begun:.0f} s: {first / 1e6:.0f} MB at first, {rss / 1e6:.0f} MB")
    yield Goal(f"RSS after {deltas} messages of {count} channels", rss / 1e6, GOAL_RSS_MB, "MB")


def main() -> int:
    """Measures, and says which goals are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="channels")
    parser.add_argument("--runs", type=int, default=15, help="starts of each program for the first paint")
    parser.add_argument("--window", type=float, default=10.0, help="seconds over which CPU is measured")
    parser.add_argument("--deltas", type=int, default=3600, help="messages of the hour")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tt-bench-") as name:
        work = Path(name)
        goals = [
            *first_paint(chosen.runs),
            *log(work),
            *hour(chosen.count, chosen.deltas, work),
            *tables(chosen.count, chosen.window, work),
        ]
    print()
    for goal in goals:
        print(goal)
    return 0


if __name__ == "__main__":
    sys.exit(main())
