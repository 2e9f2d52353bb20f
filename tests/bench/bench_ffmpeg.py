"""What a 1080p ladder costs in our one FFmpeg, beside four FFmpegs and beside a command line tuned by hand.

``make bench-ffmpeg``, or ``python tests/bench/bench_ffmpeg.py [--quick] [--repeat N] [--without-quality]``.

The same few seconds of picture are transcoded to 1080p, 720p, 480p and 360p with sound, as HLS, by

* **ours**: the command that the worker runs, as :func:`build_command` writes it;
* **four**: four such commands of one rung each, at the same time;
* **hand**: one command as an engineer would write it for just this source: no filter that this picture does not need,
  one graph, one muxer, the same encoder options.

From ours and from the four only ``-re`` and ``-stream_loop`` are taken away, so that nobody waits for real time.

* **CPU** is user and system time of all processes of a side, from wait4(2). The sides take turns (A B C A B C), so that
  whatever else the machine does disturbs all alike, and the smallest of the repetitions counts, as nothing makes a run
  cheaper than it is. A goal is a ratio between two sides of the same source, preset and FFmpeg.
* **Memory** is the most that was resident at a time, summed over the processes of a side.
* **Quality** is what the rungs look like against the source at the bitrate that the side really took: VMAF, each rung
  scaled back to 1080p, from the carried FFmpeg. An encoder without lookahead misses its bitrate in the first seconds,
  so the rates of both stand beside it.

Sources are made once per run with the carried FFmpeg: **cheap** is a computer picture, H.264, 8 bit; **noisy** the same
with film grain, H.264 at 15 Mb/s; **hevc10** the same as HEVC with 10 bit at 12 Mb/s, which is dear to decode.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from transcoder_tui.ffmpeg.binary import Binary, carried, inspect_binary
from transcoder_tui.ffmpeg.command import ENVIRONMENT, HostFacts, build_command
from transcoder_tui.ffmpeg.outputs import hls_trees
from transcoder_tui.host.metering import Metered, run_metered
from transcoder_tui.models.channel import ChannelSpec

DEBIAN = Path("/usr/bin/ffmpeg")
SECONDS, QUICK_SECONDS = 8, 3
"""Of picture, 25 frames each."""
REPEAT, QUICK_REPEAT = 3, 1
JUDGED_S = "3"
"""Seconds from the start of each rung that are judged; it takes longer than the transcoding."""
LIMIT_S = 300.0
"""No run may take longer."""
RUNGS = {
    "1080p": ("1920x1080", "5000k"),
    "720p": ("1280x720", "3000k"),
    "480p": ("854x480", "1400k"),
    "360p": ("640x360", "800k"),
}
PICTURE = "testsrc2=size=1920x1080:rate=25"
GRAIN = "noise=alls=12:allf=t"
SOURCES = {
    "cheap": (PICTURE, ("-c:v", "libx264", "-preset", "fast", "-b:v", "4M")),
    "noisy": (f"{PICTURE},{GRAIN}", ("-c:v", "libx264", "-preset", "superfast", "-b:v", "15M")),
    "hevc10": (
        f"{PICTURE},{GRAIN},format=yuv420p10le",
        ("-c:v", "libx265", "-preset", "ultrafast", "-b:v", "12M", "-x265-params", "log-level=none"),
    ),
}
"""Picture of each source, and how it is encoded."""
GOALS = {("cheap", "veryfast"): 0.95, ("noisy", "superfast"): 0.68, ("hevc10", "ultrafast"): 0.55}
"""The cases, and the CPU of ours as a share of four that each should reach."""
GOAL_MEMORY = 0.65
"""Share of the four's."""
NOISE = 0.03
"""By which two runs of the same command differ on a machine that does something else as well."""
OURS, FOUR, HAND = "ours", "four", "hand"

Argv = tuple[str, ...]


@dataclass
class Side:
    """One way to make the ladder, and what it took."""

    commands: list[Argv]
    playlists: dict[str, Path]
    """By rung."""
    cpu: list[float] = field(default_factory=list)
    """Seconds, by repetition."""
    rss: list[int] = field(default_factory=list)
    """Bytes."""

    def run(self, binary: Binary) -> None:
        """Makes the ladder once.

        Raises:
            SystemExit: Where FFmpeg fails.
        """
        for playlist in self.playlists.values():
            shutil.rmtree(playlist.parent.parent, ignore_errors=True)
        for playlist in self.playlists.values():
            playlist.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            environment = {**ENVIRONMENT, **binary.environment}
            running = [stack.enter_context(Metered(argv, environment)) for argv in self.commands]
            used = [program.finish(LIMIT_S) for program in running]
        for argv, one in zip(self.commands, used, strict=True):
            if one.exit_code:
                sys.exit(f"{' '.join(argv)}\n{one.errors[-2000:]}")
        self.cpu.append(sum(one.cpu_s for one in used))
        self.rss.append(sum(one.peak_rss for one in used))

    @property
    def bits(self) -> dict[str, int]:
        """Bits of each rung's segments, the container included."""
        return {
            name: 8 * sum(file.stat().st_size for file in _segments(list_)) for name, list_ in self.playlists.items()
        }


@dataclass(frozen=True)
class Case:
    """One source, preset and FFmpeg."""

    source: str
    preset: str
    binary: Binary
    sides: dict[str, Side]
    vmaf: dict[str, dict[str, float]] = field(default_factory=dict)
    """By side and rung."""

    def cpu(self, side: str, of: str) -> float:
        """CPU of a side as a share of another's."""
        return min(self.sides[side].cpu) / min(self.sides[of].cpu)

    def memory(self, side: str, of: str) -> float:
        """Peak memory of a side as a share of another's."""
        return mean(self.sides[side].rss) / mean(self.sides[of].rss)


class Bench:
    """Measures in a directory of its own.

    Args:
        place: The directory, best in memory.
        seconds: Length of the sources.
        repeat: How often each side runs.
    """

    def __init__(self, place: Path, seconds: int, repeat: int) -> None:
        self.place, self.seconds, self.repeat = place, seconds, repeat
        self.tool = inspect_binary(carried(), "carried")
        self.host = HostFacts({}, [place / "media"], place / "hls", progress_fd=1)
        (place / "media").mkdir()

    def make_sources(self) -> None:
        """Encodes the pictures to transcode."""
        for name, (picture, options) in SOURCES.items():
            # The picture comes first: it would be filled up to an earlier sound with a frame, and all be off by one.
            arguments = ["-f", "lavfi", "-i", picture]
            arguments += ["-itsoffset", "0.2", "-f", "lavfi", "-i", "sine=sample_rate=48000"]
            arguments += [*options, "-g", "50", "-pix_fmt:v", _pixels(picture), "-c:a", "aac", "-t", str(self.seconds)]
            self._tool([*arguments, f"file:{self._source(name)}"])

    def measure(self, source: str, preset: str, binary: Binary) -> Case:
        """Runs all sides in turns."""
        sides = {
            OURS: self._ours(source, preset, binary, RUNGS),
            FOUR: self._four(source, preset, binary),
            HAND: self._hand(source, preset, binary),
        }
        for _ in range(self.repeat):
            for side in sides.values():
                side.run(binary)
        return Case(source, preset, binary, sides)

    def judge(self, case: Case) -> None:
        """Measures how the rungs of each side look, from its last run."""
        reference = self._source(case.source)
        for name, side in case.sides.items():
            case.vmaf[name] = {rung: self._vmaf(playlist, reference) for rung, playlist in side.playlists.items()}

    def _source(self, name: str) -> Path:
        return self.place / "media" / f"{name}.ts"

    def _ours(self, source: str, preset: str, binary: Binary, rungs: Sequence[str] | dict[str, Any]) -> Side:
        name = "-".join(rungs)
        spec = ChannelSpec.model_validate(
            {
                "name": name,
                "sources": [{"url": f"file://{source}.ts"}],
                "renditions": [
                    {"name": rung, "video": {"size": RUNGS[rung][0], "bitrate": RUNGS[rung][1], "preset": preset}}
                    for rung in rungs
                ],
                # All segments are kept, so that all of the picture can be judged.
                "outputs": [{"url": f"hls://{name}", "window": 100}],
            }
        )
        built = build_command(spec, binary, self.host)
        [tree] = hls_trees(spec, self.host)
        # After the rungs come the playlists of sounds.
        return Side([_at_full_speed(built.argv)], dict(zip(rungs, tree.playlists, strict=False)))

    def _four(self, source: str, preset: str, binary: Binary) -> Side:
        each = [self._ours(source, preset, binary, [rung]) for rung in RUNGS]
        return Side(
            [side.commands[0] for side in each], {name: path for side in each for name, path in side.playlists.items()}
        )

    def _hand(self, source: str, preset: str, binary: Binary) -> Side:
        root = self.place / "hls" / "hand"
        labels = "".join(f"[s{number}]" for number in range(len(RUNGS)))
        chains = [f"[0:v:0]split={len(RUNGS)}{labels}"]
        argv = [str(binary.path), "-hide_banner", "-loglevel", "error", "-y", "-threads", "2"]
        argv += ["-filter_complex_threads", "1", "-i", f"file:{self._source(source)}"]
        streams: list[str] = []
        for number, (size, rate) in enumerate(RUNGS.values()):
            width, height = size.split("x")
            chains.append(f"[s{number}]scale={width}:{height},format=yuv420p[v{number}]")
            threads = "4" if number == 0 else "2"
            streams += [f"-c:v:{number}", "libx264", f"-preset:v:{number}", preset, f"-profile:v:{number}", "high"]
            streams += [f"-threads:v:{number}", threads, f"-b:v:{number}", rate, f"-maxrate:v:{number}", rate]
            streams += [f"-bufsize:v:{number}", rate]
        argv += ["-filter_complex", ";".join(chains)]
        argv += [part for number in range(len(RUNGS)) for part in ("-map", f"[v{number}]")]
        argv += ["-map", "0:a:0", *streams, "-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-flags", "+cgop"]
        argv += ["-c:a", "aac", "-b:a", "128k", "-f", "hls", "-hls_time", "4", "-hls_list_size", "0"]
        argv += ["-master_pl_name", "master.m3u8", "-hls_segment_filename", f"{root}/%v/s_%08d.ts"]
        argv += ["-var_stream_map"]
        argv += [
            " ".join([*(f"v:{n},agroup:a,name:{rung}" for n, rung in enumerate(RUNGS)), "a:0,agroup:a,name:sound"])
        ]
        (root / "sound").mkdir(parents=True, exist_ok=True)
        return Side([(*argv, f"{root}/%v/index.m3u8")], {rung: root / rung / "index.m3u8" for rung in RUNGS})

    def _vmaf(self, playlist: Path, reference: Path) -> float:
        report = self.place / "vmaf.json"
        joined = self.place / "judged.ts"
        joined.write_bytes(b"".join(file.read_bytes() for file in _segments(playlist)))
        back = "scale=1920:1080:flags=bicubic,format=yuv420p,setpts=PTS-STARTPTS"
        graph = f"[0:v]{back}[a];[1:v]{back}[b];[a][b]libvmaf=n_threads=2:n_subsample=5:log_fmt=json:log_path={report}"
        self._tool(
            [
                "-t",
                JUDGED_S,
                "-i",
                str(joined),
                "-t",
                JUDGED_S,
                "-i",
                str(reference),
                "-lavfi",
                graph,
                "-f",
                "null",
                "-",
            ]
        )
        return float(json.loads(report.read_text())["pooled_metrics"]["vmaf"]["mean"])

    def _tool(self, arguments: Sequence[str]) -> None:
        argv = [str(self.tool.path), "-hide_banner", "-loglevel", "error", "-y", *arguments]
        used = run_metered(argv, {**ENVIRONMENT, **self.tool.environment}, LIMIT_S)
        if used.exit_code:
            sys.exit(f"{' '.join(argv)}\n{used.errors[-2000:]}")


def _at_full_speed(argv: Sequence[str]) -> Argv:
    """A command without what ties it to real time and lets it run for ever."""
    without = list(argv)
    without.remove("-re")
    at = without.index("-stream_loop")
    del without[at : at + 2]
    return tuple(without)


def _pixels(picture: str) -> str:
    return "yuv420p10le" if "10le" in picture else "yuv420p"


def _segments(playlist: Path) -> list[Path]:
    return sorted(playlist.parent.glob("s_*.ts"))


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="once each, short sources: figures are rough")
    parser.add_argument("--repeat", type=int, help=f"runs of each side (default {REPEAT})")
    parser.add_argument("--without-quality", action="store_true", help="leave VMAF out")
    options = parser.parse_args()
    repeat = options.repeat or (QUICK_REPEAT if options.quick else REPEAT)
    found = [(DEBIAN, "PATH")] if DEBIAN.exists() else []
    binaries = [inspect_binary(path, origin) for path, origin in [*found, (carried(), "carried")]]
    memory = Path("/dev/shm")
    cases: list[Case] = []
    with tempfile.TemporaryDirectory(prefix="bench-ffmpeg-", dir=memory if memory.is_dir() else None) as place:
        bench = Bench(Path(place), QUICK_SECONDS if options.quick else SECONDS, repeat)
        bench.make_sources()
        print(_HEADING, flush=True)
        for binary in binaries:
            for source, preset in GOALS:
                case = bench.measure(source, preset, binary)
                cases.append(case)
                if not options.without_quality:
                    bench.judge(case)
                for line in _lines(case, bench.seconds):
                    print(line, flush=True)
    print(f"\n{'goal':<66} {'measured':>8} {'at most':>8}")
    for text, measured, goal in (entry for case in cases for entry in _goals(case)):
        print(f"{text:<66} {measured:8.2f} {goal:8.2f}  {'met' if measured <= goal else 'NOT MET'}")
    return 0


_HEADING = (
    f"{'FFmpeg':<8}{'source':<8}{'preset':<11}{'side':<6}{'CPU s':>7}{'of four':>9}{'of hand':>9}"
    f"{'MB':>6}{'of four':>9}  Mb/s and VMAF of each rung"
)


def _lines(case: Case, seconds: int) -> Iterator[str]:
    for name, side in case.sides.items():
        bits = side.bits
        looks = [
            f"{bits[rung] / seconds / 1e6:.2f}" + (f" {case.vmaf[name][rung]:.1f}" if name in case.vmaf else "")
            for rung in RUNGS
        ]
        yield (
            f"{case.binary.release:<8}{case.source:<8}{case.preset:<11}{name:<6}{min(side.cpu):7.2f}"
            f"{case.cpu(name, FOUR):9.2f}{case.cpu(name, HAND):9.2f}{mean(side.rss) / 1e6:6.0f}"
            f"{case.memory(name, FOUR):9.2f}  {' | '.join(looks)}"
        )


def _goals(case: Case) -> Iterator[tuple[str, float, float]]:
    where = f"{case.binary.release}, {case.source}, {case.preset}"
    yield f"{where}: CPU, share of four", case.cpu(OURS, FOUR), GOALS[case.source, case.preset]
    yield f"{where}: CPU, share of the command by hand", case.cpu(OURS, HAND), 1 + NOISE
    yield f"{where}: peak memory, share of four", case.memory(OURS, FOUR), GOAL_MEMORY


if __name__ == "__main__":
    sys.exit(main())
