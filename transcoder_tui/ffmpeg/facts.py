"""What a command needs to know of the machine on which it will run, and how addresses resolve against it."""

import ipaddress
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from transcoder_tui.errors import HostFault, InvalidInput
from transcoder_tui.ffmpeg.hardware import Trial
from transcoder_tui.models.address import Address
from transcoder_tui.models.output import hls_directory


@dataclass(frozen=True)
class HostFacts:
    """The machine, as far as FFmpeg's arguments depend on it. Taken by the worker before each start."""

    interfaces: Mapping[str, Sequence[str]]
    """Name of each network interface that has one, and its IPv4 addresses, the primary one first."""
    media_roots: Sequence[Path]
    """Directories below which ``file://`` may read and write; relative names belong to the first."""
    hls_root: Path
    """Directory below which ``hls://`` writes."""
    progress_fd: int = 3
    """File descriptor that FFmpeg inherits and writes its progress to."""
    cpus: frozenset[int] = frozenset()
    """Numbers of the CPUs; none where they are not known."""
    font: Path | None = None
    """The file of a font for text in the picture; None where there is none."""
    taken_at: float = 0.0
    """When these facts were taken, in seconds since the epoch: a run tells its files from those of others by it."""
    tested: Mapping[str, Trial] = field(default_factory=dict)
    """What tests of hardware encoders found, by FFmpeg's name of the encoder."""

    def local_address(self, interface: str, field: str) -> str:
        """The IPv4 address of an interface.

        Args:
            interface: Its name or its address, as the operator wrote it.
            field: The field to blame, such as ``outputs[0].interface``.

        Raises:
            HostFault: Where this host has no such interface; the remedy lists what there is.
        """
        if interface in self.interfaces:
            return self.interfaces[interface][0]
        if self._has(interface):
            return interface
        there = ", ".join(f"{name} ({addresses[0]})" for name, addresses in self.interfaces.items())
        raise HostFault(
            f"no interface {interface} on this host",
            f"choose one of {there}" if there else "this host has no interface with an IPv4 address",
            field,
        )

    def is_local(self, host: str) -> bool:
        """Whether a host, as an address names it, is an IPv4 address of this machine."""
        try:
            return self._has(host) or ipaddress.IPv4Address(host).is_loopback
        except ValueError:
            return False

    def _has(self, address: str) -> bool:
        return any(address in addresses for addresses in self.interfaces.values())

    def media_file(self, address: Address, field: str) -> Path:
        """The file that a ``file://`` address names.

        Only the text is looked at; that no symbolic link leads out of the root is for the worker to see.

        Raises:
            HostFault: Where no media root is set.
            InvalidInput: Where the file lies below none of the media roots.
        """
        if not self.media_roots:
            raise HostFault("no media root is set", "set TRANSCODER_MEDIA_ROOTS", field)
        path = Path(os.path.normpath(self.media_roots[0] / address.file))
        if not any(root in path.parents for root in self.media_roots):
            roots = ", ".join(map(str, self.media_roots))
            raise InvalidInput(f"{path} is not below a media root", f"media roots are {roots}", field)
        return path

    def hls_directory(self, address: Address, field: str) -> Path:
        """The directory that an ``hls://`` address names.

        Raises:
            HostFault: Where the HLS root has a ``%``, which FFmpeg would take for a pattern in segment names.
        """
        if "%" in str(self.hls_root):
            raise HostFault(f"the HLS root {self.hls_root} contains %", "set TRANSCODER_HLS_ROOT to another", field)
        return self.hls_root / hls_directory(address)
