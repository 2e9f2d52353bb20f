"""Which FFmpeg runs the channels, and what it can do."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]

from transcoder_tui.errors import HostFault
from transcoder_tui.ffmpeg.encoders import REQUIRED

OLDEST = (56, 70)
"""libavutil of FFmpeg 4.4."""
GENERATIONS = {56: "4", 57: "5", 58: "6", 59: "7", 60: "8", 61: "9"}
"""FFmpeg's major release by libavutil's major; version strings are whatever their builder made of them."""
MINORS = {(56, 70): "4.4", (57, 17): "5.0", (57, 28): "5.1", (58, 2): "6.0", (58, 29): "6.1", (59, 8): "7.0"}
"""Releases that are told apart by libavutil's minor as well (FFmpeg's ``RELEASE_NOTES`` and ``APIchanges``)."""
WITHOUT_ICONV_MODULES = {"GCONV_PATH": "/nonexistent"}
"""Static glibc builds load the host's character set modules and die of it when they read a service name."""
PATIENCE_S = 10.0
"""Seconds after which a query counts as hung; each takes some 20 to 90 ms."""

_VERSION = re.compile(r"^ffmpeg version (\S+)", re.MULTILINE)
_AVUTIL = re.compile(r"^libavutil\s+(\d+)\.\s*(\d+)\.", re.MULTILINE)
_ENCODER = re.compile(r"^ [VAS][A-Z.]{5} (\S+)", re.MULTILINE)
_FILTER = re.compile(r"^ [T.][S.][C.]? (\S+) +\S+->", re.MULTILINE)
_RELEASE = re.compile(r"n?(\d+\.\d+)")


@dataclass(frozen=True)
class Binary:
    """An FFmpeg that passed its inspection."""

    path: Path
    version: str
    """As it prints it, such as ``5.1.9-0+deb12u1``."""
    avutil: tuple[int, int]
    """Major and minor of libavutil, by which versions are told apart."""
    origin: str
    """Where it was found: ``settings``, ``PATH`` or ``carried``."""
    encoders: frozenset[str]
    """Names of its encoders."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that it needs to work on this host."""
    filters: frozenset[str] = frozenset()
    """Names of its filters."""
    decodes_teletext: bool = False
    """Whether it was built with libzvbi."""

    @property
    def release(self) -> str:
        """The release, such as ``5.1``; from libavutil where the version is a builder's own, such as ``N-66595-g…``."""
        named = _RELEASE.match(self.version)
        if named and named[1].startswith(f"{GENERATIONS.get(self.avutil[0], '')}."):
            return named[1]
        return MINORS.get(self.avutil) or GENERATIONS.get(self.avutil[0], f"newer than {max(GENERATIONS.values())}")


def find_binary(setting: Path | None) -> Binary:
    """The FFmpeg to use: the setting's, else the one on PATH if it is 4.4 or newer, else the carried one.

    Raises:
        HostFault: Where the setting's is not usable, or none is.
    """
    if setting is not None:
        return inspect_binary(setting, "settings")
    found = shutil.which("ffmpeg")
    if found is not None:
        try:
            return inspect_binary(Path(found), "PATH")
        except HostFault:
            # An old or broken FFmpeg on PATH is no fault as long as the carried one works.
            pass
    return inspect_binary(carried(), "carried")


def carried() -> Path:
    """The FFmpeg that comes with this program.

    Raises:
        HostFault: Where the package that carries it has none for this platform.
    """
    try:
        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        raise HostFault(
            "this machine has no FFmpeg", "install ffmpeg 4.4 or newer, or set TRANSCODER_FFMPEG__PATH", "ffmpeg.path"
        ) from None


def inspect_binary(path: Path, origin: str) -> Binary:
    """Runs an FFmpeg to see what it is; takes some 0.2 s.

    Args:
        path: The program.
        origin: Where it was found: ``settings``, ``PATH`` or ``carried``.

    Raises:
        HostFault: Where it is missing, cannot be run, is no FFmpeg, is too old, or lacks an encoder.
    """
    remedy = "correct TRANSCODER_FFMPEG__PATH, or unset it to use the FFmpeg that this program carries"
    if not path.is_file():
        raise HostFault(f"there is no file {path}", remedy, "ffmpeg.path")
    if not os.access(path, os.X_OK):
        raise HostFault(f"{path} is not executable", f"chmod +x {path}", "ffmpeg.path")
    text = _ask(path, ["-version"], {}).stdout
    version, avutil = _VERSION.search(text), _AVUTIL.search(text)
    if version is None or avutil is None:
        raise HostFault(f"{path} is not an FFmpeg", remedy, "ffmpeg.path")
    release = (int(avutil[1]), int(avutil[2]))
    if release < OLDEST:
        raise HostFault(f"{path} is FFmpeg {version[1]}, older than 4.4", remedy, "ffmpeg.path")
    encoders = frozenset(_ENCODER.findall(_ask(path, ["-hide_banner", "-encoders"], {}).stdout))
    lacking = REQUIRED - encoders
    if lacking:
        raise HostFault(f"{path} has no encoder {', '.join(sorted(lacking))}", remedy, "ffmpeg.path")
    filters = frozenset(_FILTER.findall(_ask(path, ["-hide_banner", "-filters"], {}).stdout))
    zvbi = "--enable-libzvbi" in text
    return Binary(path, version[1], release, origin, encoders, _self_test(path), filters, zvbi)


def _self_test(path: Path) -> Mapping[str, str]:
    """Writes a little transport stream and reads it back.

    Returns:
        The variables that it needs for that.

    Raises:
        HostFault: Where it cannot do that at all.
    """
    quiet = ["-hide_banner", "-loglevel", "error", "-y"]
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25", "-frames:v", "3", "-c:v", "libx264"]
    with tempfile.TemporaryDirectory(prefix="transcoder-tui-") as directory:
        sample = f"file:{directory}/sample.ts"
        answers = [_ask(path, [*quiet, *source, "-preset", "ultrafast", "-f", "mpegts", sample], {})]
        if answers[-1].returncode == 0:
            for environment in ({}, WITHOUT_ICONV_MODULES):
                read = [*quiet, "-f", "mpegts", "-i", sample, "-f", "null", "-"]
                answers.append(_ask(path, read, environment))
                if answers[-1].returncode == 0:
                    return environment
                if answers[-1].returncode != -signal.SIGSEGV:
                    break
    failed = answers[-1]
    said = failed.stderr.strip().splitlines()[-1:] or [f"it ended with {failed.returncode}"]
    raise HostFault(
        f"{path} cannot transcode a test picture: {said[0]}",
        "set TRANSCODER_FFMPEG__PATH to a working FFmpeg, or unset it to use the carried one",
        "ffmpeg.path",
    )


def _ask(path: Path, arguments: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [str(path), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE_S,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", **environment},
            check=False,
        )
    except OSError as error:
        raise HostFault(
            f"{path} cannot be run: {error.strerror}", "set TRANSCODER_FFMPEG__PATH to a working FFmpeg", "ffmpeg.path"
        ) from None
    except subprocess.TimeoutExpired:
        raise HostFault(
            f"{path} does not answer within {PATIENCE_S:g} s",
            "set TRANSCODER_FFMPEG__PATH to a working FFmpeg",
            "ffmpeg.path",
        ) from None
