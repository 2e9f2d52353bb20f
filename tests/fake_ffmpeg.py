"""A stand-in for FFmpeg that is started fast, costs next to nothing and misbehaves on request.

It takes the command line of a channel and does what the worker sees of an FFmpeg: a progress block a second, a few log
lines, HLS playlists and recordings that grow, an end with ``progress=end`` and exit code 255 on TERM. Asked for
anything else than to run a channel, it answers as the real FFmpeg. What it does wrong is written, before or while it
runs, into a control file for each channel, see :data:`CONTROLS`.
"""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import fake_ffmpeg_process
import imageio_ffmpeg

CONTROLS = {
    "first_block_s": "seconds from the start to the first progress block; 0.2 if not given",
    "period_s": "seconds between blocks; 1",
    "speed": "media time per wall time; 1.0",
    "fps": "frames a second; 25",
    "bitrate": "bits a second that total_size grows by",
    "freeze": "'frames': blocks go on with figures that stand still; 'blocks': no blocks, outputs go on; "
    "'all': neither; 'outputs': blocks go on, outputs do not",
    "spin": "burns a core and makes no frames; blocks go on",
    "exit_after_s": "seconds from the start after which it ends; 0 is at once",
    "exit_code": "with which it does; 1",
    "exit_signal": "number of the signal by which it ends instead",
    "ignore_term": "TERM has no effect",
    "terms": "how many TERM it takes to end it; after more than one it writes no trailer, as FFmpeg without input",
    "trailer": "whether it finishes its outputs at the end",
    "stderr": "lines that it writes at once",
    "flood_lines_per_s": "lines that it writes to its log",
    "garbage": "text (Latin-1) that it writes instead of each progress block",
    "garbage_times": "how often in a row",
    "garbage_and_blocks": "the block follows the garbage",
    "allocate_mb": "megabytes that it takes at once",
    "look_s": "seconds after which a change of this file counts; 1 at most",
    "once": "the file is removed when it is read: it holds for this run only",
}
"""What a control file may say."""


def fake_ffmpeg(directory: Path) -> Path:
    """Installs a fake FFmpeg.

    Args:
        directory: Where it and its control files go.

    Returns:
        Its path, for the setting ``ffmpeg.path``.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "control").mkdir(exist_ok=True)
    script = directory / "fake-ffmpeg"
    answers = _answers()
    for asked, text in answers.items():
        (directory / f"answer{asked}").write_text(text)
    (directory / "real").unlink(missing_ok=True)
    (directory / "real").symlink_to(real_ffmpeg())
    # Neither site nor environment: half of what starting an interpreter costs.
    script.write_text(
        f"#!{os.path.realpath(sys.executable)} -IS\n"
        f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        f"import fake_ffmpeg_process\nfake_ffmpeg_process.main({str(script)!r})\n"
    )
    script.chmod(0o755)
    return script


def control(script: Path, channel: str | None = None, **behaviour: Any) -> None:
    """Tells the fake of a channel how to behave from now on; nothing means well.

    Args:
        script: The fake.
        channel: The channel's name; None for all that have no file of their own.
        behaviour: See :data:`CONTROLS`.
    """
    unknown = behaviour.keys() - CONTROLS.keys()
    if unknown:
        raise ValueError(f"no fake FFmpeg knows {sorted(unknown)}")
    name = "all.json" if channel is None else fake_ffmpeg_process.file_name(channel)
    path = script.parent / "control" / name
    if not behaviour:
        path.unlink(missing_ok=True)
        return
    unfinished = script.parent / f"unfinished-{os.getpid()}.json"
    unfinished.write_text(json.dumps(behaviour))
    unfinished.replace(path)


def give_hardware(script: Path, *words: str) -> None:
    """Lets tests of hardware pass that use one of these words, such as ``h264_nvenc`` or a device.

    Args:
        script: The fake.
        words: Arguments of a test; none takes the hardware away again.
    """
    (script.parent / "hardware").write_text(" ".join(words))


def real_ffmpeg() -> str:
    """The FFmpeg that a fake stands in for: this host's, else the carried one."""
    return shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()


@cache
def _answers() -> dict[str, str]:
    return {
        asked: subprocess.run(
            [real_ffmpeg(), "-hide_banner" if asked != "-version" else asked, asked],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for asked in ("-version", "-encoders", "-filters")
    }
