"""Networks that a test makes and breaks: namespaces joined by a cable, senders and receivers of transport streams."""

import ctypes
import itertools
import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from fake_ffmpeg import real_ffmpeg

CLONE_NEWNET = 0x40000000
"""setns(2)."""
PACKET = 188
NULL_PID = 0x1FFF
"""Stuffing of a transport stream at constant rate: ISO/IEC 13818-1."""

GAP_S = 0.25
"""Seconds between two datagrams that count as a gap."""

_numbers = itertools.count(1)


def free_port() -> int:
    """A UDP and TCP port on which nobody listens."""
    with socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        return int(tcp.getsockname()[1])


class Namespace:
    """A network of its own, in which the loopback is up.

    Args:
        name: As ``ip netns`` knows it.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def path(self) -> Path:
        """Names it to setns(2)."""
        return Path("/run/netns") / self.name

    @property
    def command(self) -> tuple[str, ...]:
        """What a program is started with to run in it."""
        return ("nsenter", f"--net={self.path}")

    def ip(self, *arguments: str) -> None:
        """Runs ``ip`` in it."""
        subprocess.run(["ip", "-n", self.name, *arguments], check=True, capture_output=True, text=True)


@contextmanager
def namespace() -> Iterator[Namespace | None]:
    """Makes a network; None where that is not permitted."""
    name = f"tt-{os.getpid()}-{next(_numbers)}"
    lacking = os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("nsenter") is None
    if lacking or subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True).returncode:
        yield None
        return
    try:
        made = Namespace(name)
        made.ip("link", "set", "lo", "up")
        yield made
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


@contextmanager
def cable(near: Namespace, far: Namespace, device: str = "tt0") -> Iterator[None]:
    """Joins two networks by a virtual cable: 10.9.0.1 at the near end, 10.9.0.2 at the far end.

    Raises:
        subprocess.CalledProcessError: Where that is not permitted.
    """
    near.ip("link", "add", device, "type", "veth", "peer", "name", device, "netns", far.name)
    plug(near, device, "10.9.0.1")
    plug(far, device, "10.9.0.2")
    yield


def plug(end: Namespace, device: str, address: str) -> None:
    """Gives one end of a cable its address and brings it up."""
    end.ip("address", "replace", f"{address}/24", "dev", device)
    end.ip("link", "set", device, "up")
    with suppress(subprocess.CalledProcessError):
        end.ip("route", "add", "224.0.0.0/4", "dev", device)


class Receiver:
    """Receives a transport stream and knows when there was none.

    Args:
        port: Where it listens.
        group: The multicast group, if it is one.
        local: Address of the interface by which the group comes.
        network: The network in which it listens; ours if not given.
    """

    def __init__(self, port: int, group: str = "", local: str = "127.0.0.1", network: Namespace | None = None) -> None:
        self.port = port
        self.packets = 0
        """Datagrams that held more than stuffing."""
        self._group, self._local, self._network = group, local, network
        self._last = 0.0
        self._missing = 0.0
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def mark(self) -> None:
        """Forgets the gaps so far."""
        self._missing = 0.0

    @property
    def gap_s(self) -> float:
        """The time since the mark that was without media, all gaps together."""
        return round(self._missing + _gap(time.monotonic() - self._last), 1)

    def close(self) -> None:
        """Ends it."""
        self._stopping.set()
        self._thread.join()

    def _receive(self) -> None:
        if self._network is not None:
            _enter(self._network)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._group or self._local, self.port))
            if self._group:
                wanted = struct.pack("4s4s", socket.inet_aton(self._group), socket.inet_aton(self._local))
                listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, wanted)
            listener.settimeout(0.1)
            self._ready.set()
            while not self._stopping.is_set():
                with suppress(TimeoutError, OSError):
                    self._take(listener.recv(65536))

    def _take(self, datagram: bytes) -> None:
        pids = (
            (datagram[at + 1] & 0x1F) << 8 | datagram[at + 2] for at in range(0, len(datagram) - PACKET + 1, PACKET)
        )
        if all(pid == NULL_PID for pid in pids):
            return
        now = time.monotonic()
        if self._last:
            self._missing += _gap(now - self._last)
        self._last = now
        self.packets += 1


def _gap(seconds: float) -> float:
    """The time between two datagrams, as far as it is no ordinary one."""
    return seconds if seconds > GAP_S else 0.0


def _enter(network: Namespace) -> None:
    """Moves the calling thread, and only that, into a network."""
    descriptor = os.open(network.path, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(descriptor)


def sample(directory: Path) -> Path:
    """A transport stream of half a minute that costs little to decode."""
    path = directory / "sample.ts"
    if not path.exists():
        picture = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25", "-f", "lavfi", "-i", "sine")
        coding = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-b:v", "100k", "-c:a", "aac", "-b:a", "32k")
        _run(*picture, "-t", "30", *coding, "-f", "mpegts", f"file:{path}")
    return path


def _run(*arguments: str) -> None:
    subprocess.run([real_ffmpeg(), "-nostdin", "-loglevel", "error", "-y", *arguments], check=True)


class Sender:
    """Sends a transport stream in real time, again and again.

    Args:
        path: The stream.
        url: Where to, as FFmpeg writes it.
        muxer: How.
        under: What it is started with, such as ``nsenter``.
    """

    def __init__(self, path: Path, url: str, muxer: str = "mpegts", under: Sequence[str] = ()) -> None:
        self._command = [
            *(*under, real_ffmpeg(), "-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1"),
            *("-i", f"file:{path}", "-c", "copy", "-f", muxer, url),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Sends."""
        if self._process is None:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)

    def stop(self) -> None:
        """Falls silent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Listener:
    """An RTMP server that takes one stream and throws it away.

    Args:
        port: Where it listens.
    """

    def __init__(self, port: int) -> None:
        self._url = f"rtmp://127.0.0.1:{port}/live/key"
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [real_ffmpeg(), "-nostdin", "-loglevel", "error", "-listen", "1", "-i", self._url, "-f", "null", "-"]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def again(self) -> None:
        """Listens anew after it was killed, or after its stream ended."""
        self.stop()
        self.process = self._start()

    def stop(self) -> None:
        """Resets its connection."""
        self.process.kill()
        self.process.wait()
