"""What it costs to keep a rack of channels on air, and how fast a crashed one is back; next to supervisord.

``make bench-worker``, or ``python tests/bench/bench_worker.py [--quick] [--sizes 10,100,300,1000] [--profile]``.

For each size the real keeper and worker, and after them supervisord in a virtual environment of its own, run the same
fake FFmpegs, which write progress and logs as the real one does: a block a second, and two lines for each segment of
HLS, which every other channel writes. Since supervisord works on every line that a child writes, both sides are also
measured with UDP channels only, which log nothing (``silent``). Its children write their progress to files that it
never reads; ``takes progress`` is supervisord with their progress on stdout, the only way in which it could have it.

* **CPU** of keeper and worker together while all is well, in percent of one core, from their CPU clocks at both ends
  of a window; ``loop`` is the part of the worker's event loop, the rest are the database's thread and the keeper. The
  FFmpegs are not counted on either side. ``watched`` is the same with one client on the live stream.
* **Memory** at the end of that window: RSS as top shows it, PSS, USS.
* **Loop gap**: the longest time for which the worker's event loop did not look at its descriptors, measured inside
  the worker (``probed_worker.py``), and the most CPU time that it used in one; in the window, while all are started,
  and while children are killed. ``answer`` is the longest when a client asks fifty times how the worker is.
* **Crash to exec**: from just before SIGKILL is sent to a child until the kernel opens the file of the program to
  execute its successor, as inotify(7) reports it. The start of the fake's interpreter is not in it, and both sides are
  measured in the same way. One child at a time, with a pause of random length between.
* **Start all**: from the first order until the last order is accepted, until the last program is executed, and until
  the supervisor says of all that they run: two progress blocks here, a second of life (``startsecs=1``) there. Fakes
  write their blocks 0.2 and 1.2 s after their start. We get an order for each channel, supervisord one for all. The
  worker's start gate is opened wide for this; a start through the gate as it is by default is measured once, and its
  gap is the one that counts: with the gate open, all interpreters start at once and leave little of the cores.

Everything else that runs on the machine makes the times longer, less so the CPU seconds.
"""

import argparse
import math
import os
import pstats
import random
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import measuring
import probed_worker
from fake_ffmpeg import fake_ffmpeg
from measuring import Spread
from racks import OurRack, Rack, SupervisordRack, kill, until

SIZES = (10, 100, 300, 1000)
QUICK_SIZES = (10, 50)
GOAL_SIZE = 300
"""The number of channels for which goals are set, and with which what is measured once is measured."""
GOAL_CPU = 3.0
"""Percent of a core for keeper and worker."""
GOAL_RSS = 120e6
"""Bytes of both."""
GOAL_RESPAWN_S = 0.020
GOAL_GAP_S = 0.100
GOAL_EXPONENT = 1.1
"""Power of the number of channels with which CPU use grows; 1 is linear, and less where something is spent anyway."""
EXEC_S = 10.0
"""A child that is not started again by then makes the bench fail."""
SETTLE_S = 2.0
"""From the last start to the window: a start goes on costing for some seconds."""
GROWN_S = 5.0
"""A child that is younger is not killed: it would count as one that cannot be started."""
PAUSE_S = 0.1
"""Longest pause between two kills, so that they come at any moment of the supervisor's second."""
QUIET_S = 0.05
"""An interpreter that starts has opened its script for the last time after this time without an opening."""
THEIR_KILLS = 12
"""As many children of supervisord are killed at most, because each can take it a second."""

WHILE = ("window", "start", "kills")
OURS, THEIRS = OurRack.name, SupervisordRack.name
SILENT = ", silent"


@dataclass
class Row:
    """What was measured of one side with one number of children."""

    side: str
    count: int
    cpu: float = math.nan
    loop: float = math.nan
    watched: float = math.nan
    memory: measuring.Memory | None = None
    gaps: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By what was going on: longest gap of the worker's event loop, and most CPU time in one, in seconds."""
    answer_s: float = math.nan
    respawn: Spread | None = None
    accepted_s: float = math.nan
    executed_s: float = math.nan
    running_s: float = math.nan


@dataclass(frozen=True)
class Bench:
    """How to measure.

    Args:
        fake: The fake FFmpeg.
        window: Seconds over which CPU use is measured; half as many where there is no goal for it.
        kills: Children that are killed; half as many where there is no goal for it, and not more than two for each.
        profile: Whether to print a profile of the worker.
    """

    fake: Path
    window: float
    kills: int
    profile: bool

    def ours(self, count: int, *, silent: bool = False) -> Row:
        """Measures keeper and worker."""
        rack = OurRack(count, self.fake, at_once=10_000, silent=silent)
        row = Row(OURS + SILENT * silent, count)
        with closing(rack):
            rack.open()
            with _gaps(rack, row, "start"):
                start_all(rack, row)
            time.sleep(SETTLE_S)
            worker, window = rack.overseers()[-1], self._window(count)
            before = measuring.main_thread_s(worker)
            with _gaps(rack, row, "window"):
                row.cpu, row.memory = usage(rack, window)
            row.loop = (measuring.main_thread_s(worker) - before) / window * 100
            row.answer_s = max(rack.answer_times(50))
            watcher = rack.watch()
            try:
                time.sleep(1.0)
                row.watched, _ = usage(rack, window / 2)
            finally:
                watcher.kill()
                watcher.wait()
            if self.profile:
                print_profile(rack, window)
            with _gaps(rack, row, "kills"):
                row.respawn = respawn(rack, self._kills(count))
        return _told(row)

    def gate(self, count: int) -> Row:
        """Measures how long a start of all takes through the start gate as it is by default."""
        rack = OurRack(count, self.fake, at_once=None)
        row = Row(f"{OURS}, gate", count)
        with closing(rack):
            rack.open()
            with _gaps(rack, row, "start"):
                start_all(rack, row)
        return _told(row)

    def theirs(self, count: int, supervisord: Path, *, silent: bool = False, takes_progress: bool = False) -> Row:
        """Measures supervisord."""
        rack = SupervisordRack(count, self.fake, supervisord, silent=silent, takes_progress=takes_progress)
        row = Row(THEIRS + SILENT * silent + ", takes progress" * takes_progress, count)
        with closing(rack):
            rack.open()
            start_all(rack, row)
            time.sleep(SETTLE_S)
            row.cpu, row.memory = usage(rack, self._window(count))
            row.respawn = respawn(rack, min(self._kills(count), THEIR_KILLS))
        return _told(row)

    def _window(self, count: int) -> float:
        return self.window if count == GOAL_SIZE else self.window / 2

    def _kills(self, count: int) -> int:
        return self.kills if count == GOAL_SIZE else min(self.kills // 2, 2 * count)


@contextmanager
def _gaps(rack: OurRack, row: Row, what: str) -> Iterator[None]:
    probed_worker.reset_figures(rack.probe)
    yield
    row.gaps[what] = probed_worker.read_figures(rack.probe)


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    sizes = QUICK_SIZES if arguments.quick else [int(size) for size in arguments.sizes.split(",")]
    once = GOAL_SIZE if GOAL_SIZE in sizes else max(sizes)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, sizes {', '.join(map(str, sizes))}", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tt-bench-", dir="/tmp") as name:
        window, kills = (5.0, 10) if arguments.quick else (arguments.window, arguments.kills)
        bench = Bench(fake_ffmpeg(Path(name) / "fake"), window, kills, arguments.profile)
        rows = [bench.ours(size) for size in sizes]
        if not arguments.only_ours:
            supervisord = arguments.supervisord or _installed(Path(name) / "venv")
            rows += [bench.theirs(size, supervisord) for size in sizes]
            rows += [bench.ours(once, silent=True), bench.theirs(once, supervisord, silent=True)]
            rows.append(bench.theirs(once, supervisord, takes_progress=True))
        gated = bench.gate(once)
    print_report(rows, gated)
    print(f"\ntook {time.monotonic() - begun:.0f} s; load {os.getloadavg()[0]:.1f} at the end")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures the worker, and supervisord next to it.")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of channels")
    parser.add_argument("--window", type=float, default=12.0, help="seconds over which CPU use is measured")
    parser.add_argument("--kills", type=int, default=100, help="children that are killed for each size")
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that it works")
    parser.add_argument(
        "--profile", action="store_true", help="also print where the worker's event loop spends its time"
    )
    parser.add_argument("--supervisord", type=Path, help="use this one instead of installing it")
    parser.add_argument("--only-ours", action="store_true", help="measure this program only")
    return parser.parse_args()


def _installed(directory: Path) -> Path:
    print("installing supervisord ...", flush=True)
    venv.create(directory, with_pip=True)
    pip = [str(directory / "bin" / "pip"), "--disable-pip-version-check", "--quiet", "install"]
    # supervisor needs pkg_resources, which setuptools had up to release 80.
    subprocess.run([*pip, "supervisor==4.3.0", "setuptools<80"], check=True, stderr=subprocess.DEVNULL)
    return directory / "bin" / "supervisord"


def start_all(rack: Rack, row: Row) -> None:
    """Starts every child."""
    begun = time.monotonic()
    rack.order_all()
    row.accepted_s = time.monotonic() - begun
    row.executed_s = rack.await_fakes() - begun
    row.running_s = until(lambda: rack.running() == rack.count, 0.25) - begun


def usage(rack: Rack, window: float) -> tuple[float, measuring.Memory]:
    """CPU in percent of a core over the window, and memory at its end."""
    pids = rack.overseers()
    begun, before = time.monotonic(), sum(map(measuring.cpu_s, pids))
    time.sleep(window)
    after, ended = sum(map(measuring.cpu_s, pids)), time.monotonic()
    return (after - before) / (ended - begun) * 100, measuring.memory_of(pids)


def respawn(rack: Rack, kills: int) -> Spread:
    """Kills children one at a time and measures until the successor is executed."""
    watch = measuring.ExecWatch(rack.fake)
    found: list[float] = []
    born: dict[int, float] = {}
    try:
        while len(found) < kills:
            now = time.monotonic()
            running = measuring.children(rack.parent())
            grown = sorted(pid for pid in running if now - born.get(pid, -math.inf) > GROWN_S)
            if not grown:
                time.sleep(0.1)
                continue
            watch.settle(QUIET_S)
            begun = time.monotonic()
            kill(random.choice(grown))
            found.append(watch.wait(EXEC_S) - begun)
            fresh: set[int] = set()
            while not fresh:
                fresh = measuring.children(rack.parent()) - running
            born.update(dict.fromkeys(fresh, time.monotonic()))
            time.sleep(random.uniform(0.0, PAUSE_S))
    finally:
        watch.close()
    return Spread.of(found)


def print_profile(rack: OurRack, window: float) -> None:
    """Prints where the event loop spends a window; the profiler itself makes it two to three times slower."""
    worker, written = rack.overseers()[-1], Path(f"{rack.probe}.profile")
    os.kill(worker, signal.SIGUSR1)
    time.sleep(window)
    os.kill(worker, signal.SIGUSR2)
    until(written.exists, 0.05)
    stats = pstats.Stats(str(written)).stats  # type: ignore[attr-defined]
    own: dict[str, float] = defaultdict(float)
    functions = []
    for (file, line, name), (_, calls, in_itself, together, _) in stats.items():
        place = "/".join(Path(file).parts[-2:]) if line else "C"
        if "epoll" not in name:
            own[place] += in_itself
            functions.append((in_itself, together, calls, f"{place}:{line} {name}" if line else name))
    scale = 1000 / window
    print(f"  where {rack.count} channels spend it: ms in each second, slowed down by the profiler")
    for place, seconds in sorted(own.items(), key=lambda item: -item[1])[:15]:
        print(f"    {seconds * scale:8.2f}  {place}")
    print("         own   callees   calls/s")
    for in_itself, together, calls, name in sorted(functions, reverse=True)[:30]:
        print(f"    {in_itself * scale:8.2f}  {together * scale:8.2f}  {calls / window:8.0f}  {name}")


def _told(row: Row) -> Row:
    """Tells at once what was measured, because a whole run takes minutes."""
    cpu = "" if math.isnan(row.cpu) else f", CPU {row.cpu:.2f} %"
    respawned = f", crash to exec {row.respawn.median * 1000:.1f} ms" if row.respawn else ""
    print(f"{row.side} {row.count}: all running after {row.running_s:.1f} s{cpu}{respawned}", flush=True)
    return row


def print_report(rows: Sequence[Row], gated: Row) -> None:
    """Prints the tables."""
    print(f"\n{'side':<28} channels   CPU %    loop  watched  RSS MB  PSS MB  USS MB")
    for row in rows:
        memory = row.memory or measuring.Memory(0, 0, 0)
        print(
            f"{row.side:<28} {row.count:8d} {row.cpu:7.2f} {_figure(row.loop, 7, 2)} {_figure(row.watched, 8, 2)}"
            f" {memory.rss / 1e6:7.1f} {memory.pss / 1e6:7.1f} {memory.uss / 1e6:7.1f}"
        )
    print(f"\n{'side':<28} channels  longest gap ms (most CPU in one): window          start          kills   answer")
    for row in [*rows, gated]:
        if row.gaps:
            gaps = "".join(f"{_gap(row.gaps.get(what)):>15}" for what in WHILE)
            print(f"{row.side:<28} {row.count:8d} {'':26} {gaps} {_figure(row.answer_s * 1e3, 8, 1)}")
    print(f"\n{'side':<28} channels  crash to exec ms: median     p99  longest  kills")
    for row in rows:
        if row.respawn is not None:
            spread = row.respawn
            times = f"{spread.median * 1e3:25.1f} {spread.p99 * 1e3:7.1f} {spread.longest * 1e3:8.1f}"
            print(f"{row.side:<28} {row.count:8d} {times} {spread.count:6d}")
    print(f"\n{'side':<28} channels  start all s: accepted  executed  running")
    for row in [*rows, gated]:
        print(f"{row.side:<28} {row.count:8d} {row.accepted_s:22.2f} {row.executed_s:9.2f} {row.running_s:8.2f}")
    print(f"\n{'goal':<64} measured      at most")
    for text, measured, goal, unit in [*_goals(rows, gated), *_ratios(rows)]:
        print(f"{text:<62} {measured:10.3f}   {goal:7g} {unit:<3}  {'met' if measured <= goal else 'NOT MET'}")


def _gap(gap: tuple[float, float] | None) -> str:
    return f"{gap[0] * 1e3:.1f} ({gap[1] * 1e3:.1f})" if gap else "-"


def _figure(value: float, width: int, digits: int) -> str:
    return f"{'-':>{width}}" if math.isnan(value) else f"{value:{width}.{digits}f}"


Goal = tuple[str, float, float, str]
"""What was aimed at, what was measured, the most that it should be, the unit."""


def _goals(rows: Sequence[Row], gated: Row) -> Iterator[Goal]:
    ours = [row for row in rows if row.side == OURS]
    for row in ours:
        if row.count == GOAL_SIZE and row.memory is not None:
            yield f"{row.count} channels: CPU of keeper and worker", row.cpu, GOAL_CPU, "%"
            yield f"{row.count} channels: RSS of keeper and worker", row.memory.rss / 1e6, GOAL_RSS / 1e6, "MB"
    for row in ours:
        if row.respawn is not None:
            yield f"{row.count} channels: crash to exec, median", row.respawn.median * 1e3, GOAL_RESPAWN_S * 1e3, "ms"
    for row in ours:
        longest = max(row.gaps["window"][0], row.gaps["kills"][0])
        yield f"{row.count} channels: longest loop gap, on air and at crashes", longest * 1e3, GOAL_GAP_S * 1e3, "ms"
    yield (
        f"{gated.count} channels: longest loop gap, start of all",
        gated.gaps["start"][0] * 1e3,
        GOAL_GAP_S * 1e3,
        "ms",
    )
    ends = [row for row in ours if row.count >= 100]
    if len(ends) > 1:
        first, last = ends[0], ends[-1]
        power = math.log(last.cpu / first.cpu) / math.log(last.count / first.count)
        yield f"CPU grows from {first.count} to {last.count} channels with the power", power, GOAL_EXPONENT, ""


def _ratios(rows: Sequence[Row]) -> Iterator[Goal]:
    """Ours as a share of supervisord's."""
    ours = {(row.side.removeprefix(OURS), row.count): row for row in rows if row.side.startswith(OURS)}
    for row in rows:
        if not row.side.startswith(THEIRS):
            continue
        kind = row.side.removeprefix(THEIRS)
        one = ours[kind if kind == SILENT else "", row.count]
        if one.respawn is not None and row.respawn is not None:
            share = one.respawn.median / row.respawn.median
            yield f"{row.count} channels: crash to exec, share of {row.side}", share, 1.0, "x"
        yield f"{row.count} channels: CPU, share of {row.side}", one.cpu / row.cpu, 1.0, "x"


if __name__ == "__main__":
    sys.exit(main())
