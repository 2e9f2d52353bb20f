"""Where a channel goes."""

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

from transcoder_tui.models.address import (
    Address,
    parse_address,
    require_file,
    require_host,
    require_port,
    require_query,
)
from transcoder_tui.models.faults import refuse
from transcoder_tui.models.field import about, refuse_foreign
from transcoder_tui.models.names import is_directory
from transcoder_tui.models.units import Bitrate, Range, Seconds, format_bitrate, format_seconds, no_truth_value

SCHEMES = ("udp", "hls", "rtmp", "rtmps", "file")
"""The address schemes of outputs; each kind's argv is in ``ffmpeg/outputs.py``."""

CONTAINERS = {".ts": "mpegts", ".mp4": "mp4", ".mkv": "matroska"}
"""File endings that can be recorded to, and FFmpeg's muxer for each."""


def parse_output(text: str) -> Address:
    """The address of an output, checked for its kind.

    Raises:
        PydanticCustomError: With what is wrong and what would be right.
    """
    address = parse_address(text, SCHEMES)
    if address.scheme == "udp":
        require_host(address)
        require_port(address)
        require_query(address, ())
        if address.host in ("0.0.0.0", "255.255.255.255", "::"):
            raise refuse(f"{address.host} is no destination", "write a multicast group or the address of a receiver")
    elif address.scheme == "hls":
        if not is_directory(hls_directory(address)) or address.query:
            raise refuse(
                f"{text!r} names no directory below the HLS root",
                "write hls://NAME of letters, digits, - and _, such as hls://news-hd",
            )
    elif address.scheme == "file":
        require_file(address)
        if PurePosixPath(address.file).suffix not in CONTAINERS:
            raise refuse(f"{text!r} has no known ending", f"end it with one of {', '.join(CONTAINERS)}")
    else:
        require_host(address)
        if not address.path.strip("/"):
            raise refuse(f"{text!r} names no application", f"write {address.scheme}://HOST/APPLICATION/KEY")
    return address


def hls_directory(address: Address) -> str:
    """The directory below the HLS root that an ``hls://`` address names."""
    return (address.host + address.path).rstrip("/")


def _check(text: str) -> str:
    return parse_output(text).text


class Output(BaseModel):
    """One destination of a channel. It carries one rendition or, for HLS, the whole ladder."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, AfterValidator(_check)] = about(
        "Where it goes: udp:// (multicast or unicast), hls://DIRECTORY below the HLS root, rtmp:// or "
        "file:// (.ts, .mp4 or .mkv).",
        label="Address",
        example="udp://239.2.1.1:5000",
    )
    rendition: str | None = about(
        "Name of the rendition that it carries. HLS without it carries the whole ladder.",
        label="Rendition",
        example="1080p",
        default=None,
    )
    interface: str | None = about(
        "Network interface by which it leaves, by name or by address. Without it the routing table chooses.",
        label="Interface",
        example="eth2",
        kinds=("udp",),
        default=None,
        min_length=1,
        max_length=64,
    )
    ttl: Annotated[int | None, BeforeValidator(no_truth_value), Range(1, 255)] = about(
        "Time to live: how many routers a multicast may cross. 16 if not given.",
        label="TTL",
        unit="hops",
        kinds=("udp",),
        default=None,
    )
    muxrate: Annotated[Bitrate | None, Range(100_000, 200_000_000, format_bitrate)] = about(
        "Constant rate of the transport stream, null packets included. If not given, the least rate that "
        "holds the rendition.",
        label="Muxrate",
        unit="b/s",
        example="6500k",
        kinds=("udp",),
        default=None,
    )
    segment: Annotated[Seconds | None, Range(1, 30, format_seconds)] = about(
        "Length of an HLS segment, a multiple of the GOP. If not given, the first multiple from 4 s on.",
        label="Segment",
        unit="s",
        example="4s",
        kinds=("hls",),
        default=None,
    )
    window: Annotated[int | None, BeforeValidator(no_truth_value), Range(3, 1000)] = about(
        "How many segments the HLS playlist lists. 6 if not given.",
        label="Window",
        unit="segments",
        kinds=("hls",),
        default=None,
    )

    @model_validator(mode="after")
    def _fields_belong(self) -> "Output":
        refuse_foreign(self, self.address.scheme)
        return self

    @property
    def address(self) -> Address:
        """The address taken apart."""
        return parse_output(self.url)

    @property
    def destination(self) -> str:
        """What two outputs must not share: the group and port, the directory, the file or the stream."""
        address = self.address
        if address.scheme == "udp":
            return f"udp://{address.authority}" + (f" on {self.interface}" if self.interface else "")
        if address.scheme == "hls":
            return f"hls://{hls_directory(address)}"
        return address.text


class Destinations:
    """Destinations that are taken, and by whom. An HLS directory also takes those above and below it."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}
        self._above: dict[str, str] = {}

    def take(self, destination: str, owner: str) -> str | None:
        """Takes a destination.

        Returns:
            Who has it already, or a directory above or below it; None where it was free.
        """
        above = _above(destination)
        taken = next((self._owners[place] for place in (destination, *above) if place in self._owners), None)
        taken = taken or self._above.get(destination)
        self._owners.setdefault(destination, owner)
        for place in above:
            self._above.setdefault(place, owner)
        return taken


def _above(destination: str) -> list[str]:
    scheme, _, path = destination.partition("://")
    if scheme != "hls":
        return []
    names = path.split("/")
    return [f"hls://{'/'.join(names[:count])}" for count in range(1, len(names))]
