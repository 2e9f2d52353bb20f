"""A multiplex as a satellite brings it: one program of many goes on air, whatever the others are like."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from feeding import DATAGRAM, flood
from hard_multiplex import scrambled, silenced

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.models.channel import ChannelSpec

PROGRAMS = 6
BPS = 4_000_000
STARTUP_S = 15
"""After which the worker would start it again."""
FIRST_PID = 0x100
STREAMS = 3
"""Of each program: a picture and two sounds."""


@pytest.fixture(scope="module")
def multiplex(binary: Binary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs 101 to 106: the first three cannot be read, and the second sound of the others never comes."""
    file = tmp_path_factory.mktemp("satellite") / "mpts.ts"
    pictures = [part for _ in range(PROGRAMS) for part in ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25")]
    streams = [f"{program}:v {PROGRAMS}:a {PROGRAMS}:a".split() for program in range(PROGRAMS)]
    mapped = [part for program in streams for stream in program for part in ("-map", stream)]
    numbered = [
        part
        for program in range(PROGRAMS)
        for part in (
            "-program",
            f"program_num={101 + program}:" + ":".join(f"st={STREAMS * program + n}" for n in range(STREAMS)),
        )
    ]
    pids = [part for n in range(STREAMS * PROGRAMS) for part in ("-streamid", f"{n}:{FIRST_PID + n}")]
    encoded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-b:v", "200k", "-c:a", "mp2", "-b:a", "64k"]
    argv = [str(binary.path), "-loglevel", "error", *pictures, "-f", "lavfi", "-i", "sine=r=48000", *mapped, "-t", "4"]
    argv += [*encoded, *numbered, *pids, "-muxrate", str(BPS), "-f", "mpegts", str(file)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    unreadable = range(FIRST_PID, FIRST_PID + 3 * STREAMS)
    silent = range(FIRST_PID + 3 * STREAMS + 2, FIRST_PID + PROGRAMS * STREAMS, STREAMS)
    file.write_bytes(silenced(scrambled(file.read_bytes(), unreadable), silent))
    return file


@pytest.mark.parametrize("codec", ["h264", pytest.param("copy", marks=pytest.mark.long)])
def test_a_program_among_scrambled_ones_goes_on_air_before_the_worker_gives_it_up(
    start: Any, multiplex: Path, free_port: Any, eventually: Any, codec: str
) -> None:
    port = free_port()
    picture = {"size": "160x90", "preset": "ultrafast", "gop": "1s"} if codec != "copy" else {"codec": "copy"}
    spec = ChannelSpec.model_validate(
        {
            "name": "One of many",
            "sources": [{"url": f"udp://127.0.0.1:{port}", "program": 105}],
            "renditions": [{"name": "only", "video": {"bitrate": "300k", **picture}, "audio": {"bitrate": "64k"}}],
            "outputs": [{"url": "file://out.ts"}],
        }
    )

    with flood(multiplex, port, pause_s=DATAGRAM * 8 / BPS):
        run = start(spec)
        eventually(lambda: run.media_time > 0.5, STARTUP_S)

    assert run.process.poll() is None
