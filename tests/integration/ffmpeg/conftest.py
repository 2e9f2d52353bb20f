"""Real FFmpegs, run as the worker runs them."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from real_ffmpeg import Run, put_on_air
from udp_receiver import UdpReceiver

from transcoder_tui.ffmpeg.binary import Binary, carried, inspect_binary
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.ffmpeg.outputs import hls_trees, recordings
from transcoder_tui.models.channel import ChannelSpec

DEBIAN = Path("/usr/bin/ffmpeg")
VERSIONS = ("debian", "carried")
ALWAYS_BOTH = "test_ffmpeg_real.py"
"""What every test run tries with both; of all else it tries each test with one of them, and half with either."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves half of the long tests out, unless ``FFMPEGS=both`` asks for all, as ``make conformance`` does."""
    if os.environ.get("FFMPEGS") == "both":
        return
    left_out = [item for item in items if _version(item) not in (None, _chosen(item))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def _version(item: pytest.Item) -> str | None:
    """The FFmpeg that a long test is about to run with; None where it is none of them."""
    if item.path.parent != Path(__file__).parent or item.path.name == ALWAYS_BOTH:
        return None
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("binary") if callspec is not None else None


def _chosen(item: pytest.Item) -> str:
    name = item.nodeid.replace("debian", "").replace("carried", "")
    return VERSIONS[crc32(name.encode()) % 2]


@pytest.fixture(scope="session", params=VERSIONS)
def binary(request: pytest.FixtureRequest) -> Binary:
    """Each FFmpeg that is supported and present."""
    if request.param == "carried":
        return inspect_binary(carried(), "carried")
    if not DEBIAN.exists():
        pytest.skip(f"there is no {DEBIAN}; install Debian's ffmpeg to test it")
    return inspect_binary(DEBIAN, "PATH")


@pytest.fixture
def host(tmp_path: Path, request: pytest.FixtureRequest) -> HostFacts:
    """This machine, with roots of its own; an indirect parameter names the directory that holds them."""
    base = tmp_path / getattr(request, "param", "roots")
    base.mkdir()
    return HostFacts({"lo": ["127.0.0.1"]}, [base / "media"], base / "hls")


Start = Callable[..., Run]


@pytest.fixture
def start(binary: Binary, host: HostFacts, tmp_path: Path) -> Iterator[Start]:
    """Puts a channel on air; whatever still runs is ended after the test."""
    runs: list[Run] = []

    def run(spec: ChannelSpec, codecs: Sequence[str] = ()) -> Run:
        for tree in hls_trees(spec, host):
            for playlist in tree.playlists:
                playlist.parent.mkdir(parents=True, exist_ok=True)
        for recording in recordings(spec, host):
            recording.path.parent.mkdir(parents=True, exist_ok=True)
        runs.append(put_on_air(spec, binary, host, tmp_path, str(len(runs)), codecs))
        return runs[-1]

    yield run
    for one in runs:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def helper(binary: Binary) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Runs the same FFmpeg as a peer: a server, a generator."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str) -> subprocess.Popen[bytes]:
        argv = [str(binary.path), "-hide_banner", "-loglevel", "error", "-y", *arguments]
        started.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


class Receiver(UdpReceiver):
    """Keeps every datagram that arrives on a socket."""

    def __init__(self, taken: socket.socket) -> None:
        self.datagrams: list[bytes] = []
        super().__init__(taken, self.datagrams.append)

    @property
    def data(self) -> bytes:
        return b"".join(self.datagrams)


@pytest.fixture
def receive(free_port: Callable[[], int]) -> Iterator[Callable[..., tuple[Receiver, int]]]:
    """Receives UDP on 127.0.0.1, or a multicast group joined on lo; gives the receiver and its port."""
    receivers: list[Receiver] = []

    def open_socket(group: str | None = None) -> tuple[Receiver, int]:
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        if group is None:
            taken.bind(("127.0.0.1", 0))
        else:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((group, free_port()))
            member = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
            taken.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        receivers.append(Receiver(taken))
        return receivers[-1], taken.getsockname()[1]

    yield open_socket
    for receiver in receivers:
        receiver.close()


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A port on 127.0.0.1 that nobody uses right now."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture
def ffprobe() -> Callable[..., Any]:
    """Debian's ffprobe on a file; gives its JSON."""
    program = shutil.which("ffprobe")
    if program is None:
        pytest.skip("there is no ffprobe; install Debian's ffmpeg")

    def probe(path: Path, *arguments: str) -> Any:
        argv = [program, "-v", "error", "-of", "json", *arguments, f"file:{path}"]
        done = subprocess.run(argv, capture_output=True, check=True, env={"PATH": os.defpath})
        return json.loads(done.stdout)

    return probe
