"""Where a channel goes."""

from pathlib import PurePosixPath
from typing import Annotated, Literal, NamedTuple

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
from transcoder_tui.models.names import check_name, is_directory
from transcoder_tui.models.source import DATAGRAMS, check_srt
from transcoder_tui.models.tracks import Pid
from transcoder_tui.models.units import (
    Bitrate,
    Bytes,
    Duration,
    Range,
    Seconds,
    format_bitrate,
    format_bytes,
    format_duration,
    format_seconds,
    no_truth_value,
)

SCHEMES = ("udp", "rtp", "srt", "hls", "dash", "rtmp", "rtmps", "file")
"""The address schemes of outputs; each kind's argv is in ``ffmpeg/outputs.py``."""
TRANSPORT_STREAMS = ("udp", "rtp", "srt")
"""Schemes that carry a transport stream at a constant rate."""
LADDERS = ("hls", "dash")
"""Schemes that can carry a whole ladder, into a directory below the HLS root."""

RECORDINGS = {".ts": "mpegts", ".mp4": "mp4", ".mkv": "matroska"}
"""File endings that can be recorded to, and FFmpeg's muxer for each."""


PMT_PID, VIDEO_PID = 0x1000, 0x100
"""PIDs of the PMT and of the picture where the output does not say; FFmpeg's own."""
LOWEST_AUDIO_PID = 0x21
"""The lowest PID that FFmpeg gives to a stream behind the first."""
HIGHEST_PID = 0x1FFA
"""The highest PID that FFmpeg gives to a stream or a PMT."""

PLAYLIST = "Playlist and segments"
"""Heading of how a playlist and its segments are kept."""
SERVICE = "Service and PIDs"
"""Heading of how a transport stream presents itself."""


def parse_output(text: str) -> Address:
    """The address of an output, checked for its kind.

    Raises:
        PydanticCustomError: With what is wrong and what would be right.
    """
    address = parse_address(text, SCHEMES)
    if address.scheme in DATAGRAMS:
        require_host(address)
        require_port(address)
        require_query(address, ())
        if address.host in ("0.0.0.0", "255.255.255.255", "::"):
            raise refuse(f"{address.host} is no destination", "write a multicast group or the address of a receiver")
    elif address.scheme == "srt":
        check_srt(address)
    elif address.scheme in LADDERS:
        if not is_directory(hls_directory(address)) or address.query:
            raise refuse(
                f"{text!r} names no directory below the HLS root",
                f"write {address.scheme}://NAME of letters, digits, - and _, such as {address.scheme}://news-hd",
            )
    elif address.scheme == "file":
        require_file(address)
        if PurePosixPath(address.file).suffix not in RECORDINGS:
            raise refuse(f"{text!r} has no known ending", f"end it with one of {', '.join(RECORDINGS)}")
    else:
        require_host(address)
        if not address.path.strip("/"):
            raise refuse(f"{address.masked!r} names no application", f"write {address.scheme}://HOST/APPLICATION/KEY")
    return address


def hls_directory(address: Address) -> str:
    """The directory below the HLS root that an ``hls://`` or ``dash://`` address names."""
    return (address.host + address.path).rstrip("/")


def _check(text: str) -> str:
    return parse_output(text).text


class Pids(NamedTuple):
    """The PIDs of a transport stream."""

    pmt: int
    video: int
    audio: int
    """Of the first sound; those of all other streams follow it."""

    @property
    def is_apart(self) -> bool:
        """Whether the picture's does not come right before the first sound's."""
        return self.video != self.audio - 1


class Output(BaseModel):
    """One destination of a channel. It carries one rendition or, for HLS and DASH, the whole ladder."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, AfterValidator(_check)] = about(
        "Where it goes: udp:// and rtp:// (multicast or unicast), srt://, hls://DIRECTORY or dash://DIRECTORY below "
        "the HLS root, rtmp(s):// or file:// (.ts, .mp4 or .mkv).",
        label="Address",
        example="udp://239.2.1.1:5000",
    )
    rendition: str | None = about(
        "Name of the rendition that it carries. HLS and DASH without it carry the whole ladder.",
        label="Rendition",
        example="1080p",
        default=None,
    )
    interface: str | None = about(
        "Network interface by which it leaves, by name or by address. Without it the routing table chooses.",
        label="Interface",
        example="eth2",
        kinds=DATAGRAMS,
        default=None,
        min_length=1,
        max_length=64,
    )
    ttl: Annotated[int | None, BeforeValidator(no_truth_value), Range(1, 255)] = about(
        "Time to live: how many routers a multicast may cross. 16 if not given.",
        label="TTL",
        unit="hops",
        kinds=DATAGRAMS,
        default=None,
    )
    muxrate: Annotated[Bitrate | None, Range(100_000, 200_000_000, format_bitrate)] = about(
        "Constant rate of the transport stream, null packets included. If not given, the least rate that "
        "holds the rendition.",
        label="Muxrate",
        unit="b/s",
        example="6500k",
        kinds=TRANSPORT_STREAMS,
        default=None,
    )
    service_id: Annotated[int | None, BeforeValidator(no_truth_value), Range(1, 65535)] = about(
        "Program number of the service. 1 if not given.",
        label="Service id",
        example="101",
        kinds=TRANSPORT_STREAMS,
        apart=SERVICE,
        default=None,
    )
    service_name: Annotated[str, AfterValidator(check_name)] | None = about(
        "Name in the SDT. If not given, that of another output of the channel, else the channel's.",
        label="Service name",
        kinds=TRANSPORT_STREAMS,
        apart=SERVICE,
        default=None,
    )
    service_provider: Annotated[str, AfterValidator(check_name)] | None = about(
        "Provider in the SDT. If not given, that of another output of the channel.",
        label="Provider",
        kinds=TRANSPORT_STREAMS,
        apart=SERVICE,
        default=None,
    )
    transport_stream_id: Annotated[int | None, BeforeValidator(no_truth_value), Range(1, 65535)] = about(
        "Id of the transport stream, in PAT and SDT. 1 if not given.",
        label="TS id",
        kinds=TRANSPORT_STREAMS,
        apart=SERVICE,
        default=None,
    )
    network_id: Annotated[int | None, BeforeValidator(no_truth_value), Range(1, 65535)] = about(
        "Original network id, in the SDT. 65281 (private) if not given.",
        label="Network id",
        kinds=TRANSPORT_STREAMS,
        apart=SERVICE,
        default=None,
    )
    pmt_pid: Pid | None = about(
        "PID of the PMT. 0x1000 if not given.",
        label="PMT PID",
        example="0x1000",
        kinds=TRANSPORT_STREAMS,
        apart=SERVICE,
        default=None,
    )
    video_pid: Pid | None = about(
        "PID of the picture, which also carries the PCR. 0x100 if not given.",
        label="Video PID",
        example="0x100",
        kinds=TRANSPORT_STREAMS,
        apart=SERVICE,
        default=None,
    )
    audio_pid: Pid | None = about(
        "PID of the first sound track; those of the others, of subtitles and data follow it. "
        "The one behind the picture's if not given.",
        label="Audio PID",
        example="0x101",
        kinds=TRANSPORT_STREAMS,
        apart=SERVICE,
        default=None,
    )
    segment: Annotated[Seconds | None, Range(1, 30, format_seconds)] = about(
        "Length of a segment, a multiple of the GOP. If not given, the first multiple from 4 s on.",
        label="Segment",
        unit="s",
        example="4s",
        kinds=LADDERS,
        default=None,
    )
    window: Annotated[int | None, BeforeValidator(no_truth_value), Range(3, 1000)] = about(
        "How many segments the playlist lists. 6 if not given.",
        label="Window",
        unit="segments",
        kinds=LADDERS,
        default=None,
    )
    format: Literal["ts", "fmp4"] | None = about(
        "Kind of segments. ts if not given.", label="Segments", kinds=("hls",), apart=PLAYLIST, default=None
    )
    playlist: Literal["live", "event", "vod"] | None = about(
        "live lists the window; event and vod list everything since the start and delete nothing. live if not given.",
        label="Playlist",
        kinds=("hls",),
        apart=PLAYLIST,
        default=None,
    )
    delete: bool | None = about(
        "Whether segments that have left the window are deleted. Yes if not given.",
        label="Delete",
        kinds=("hls",),
        apart=PLAYLIST,
        default=None,
    )
    encryption: Literal["aes-128"] | None = about(
        "Encrypt whole segments (RFC 8216, AES-128 CBC); the key lies beside the playlists.",
        label="Encryption",
        kinds=("hls",),
        apart=PLAYLIST,
        default=None,
    )
    key_rotation: Annotated[Duration, Range(10, 604800, format_duration)] | None = about(
        "Time after which a new key is used. If not given, one key for each start.",
        label="Key rotation",
        unit="s",
        example="1h",
        kinds=("hls",),
        apart=PLAYLIST,
        default=None,
    )
    low_latency: bool | None = about(
        "Write each segment while it is being made, in small chunks (LL-DASH).",
        label="Low latency",
        kinds=("dash",),
        apart=PLAYLIST,
        default=None,
    )
    split: Annotated[Duration, Range(10, 86400, format_duration)] | None = about(
        "Begin a new file each time this much was recorded; the time of its beginning becomes part of its name.",
        label="New file every",
        unit="s",
        example="1h",
        kinds=("file",),
        default=None,
    )
    keep_for: Annotated[Duration, Range(60, 366 * 86400, format_duration)] | None = about(
        "Delete recorded files that are older.",
        label="Keep for",
        unit="s",
        example="7d",
        kinds=("file",),
        default=None,
    )
    keep_size: Annotated[Bytes, Range(1 << 20, 1 << 50, format_bytes)] | None = about(
        "Delete the oldest recorded files when all of them together take more.",
        label="Keep size",
        unit="bytes",
        example="500G",
        kinds=("file",),
        default=None,
    )

    @model_validator(mode="after")
    def _fields_belong(self) -> "Output":
        refuse_foreign(self, self.address.scheme)
        if self.window is not None and self.playlist in ("event", "vod"):
            raise refuse(f"does not apply to playlist: {self.playlist}", "remove it; all segments are listed", "window")
        if self.delete and self.playlist in ("event", "vod"):
            raise refuse(f"does not apply to playlist: {self.playlist}", "remove it; nothing is deleted", "delete")
        if self.encryption is not None and self.format == "fmp4":
            raise refuse("FFmpeg cannot encrypt fMP4 segments", "write format: ts", "encryption")
        if self.key_rotation is not None and self.encryption is None:
            raise refuse("there is no key", "write encryption: aes-128, or remove it", "key_rotation")
        for name in ("keep_for", "keep_size"):
            if getattr(self, name) is not None and self.split is None:
                raise refuse("one file is written for ever", "write split, such as split: 1h", name)
        self._check_pids()
        return self

    def _check_pids(self) -> None:
        pids = self.pids
        if len(set(pids)) < len(pids):
            field = next(name for name in ("pmt_pid", "video_pid", "audio_pid") if getattr(self, name) is not None)
            raise refuse("PMT, picture and sound need PIDs of their own", "write another one", field)
        if pids.audio < LOWEST_AUDIO_PID:
            raise refuse(f"{pids.audio:#x} is too low", f"write {LOWEST_AUDIO_PID:#x} or more", "audio_pid")
        for name, pid in (("pmt_pid", pids.pmt), ("video_pid", pids.video), ("audio_pid", pids.audio)):
            if pid > HIGHEST_PID:
                raise refuse(f"FFmpeg has no PID {pid:#x}", f"write {HIGHEST_PID:#x} or less", name)

    @property
    def pids(self) -> Pids:
        """The PIDs of its transport stream, as given or by default."""
        video = self.video_pid or VIDEO_PID
        return Pids(self.pmt_pid or PMT_PID, video, self.audio_pid or video + 1)

    @property
    def address(self) -> Address:
        """The address taken apart."""
        return parse_output(self.url)

    @property
    def is_transport_stream(self) -> bool:
        """Whether it sends a transport stream at a constant rate."""
        return self.address.scheme in TRANSPORT_STREAMS

    @property
    def container(self) -> str:
        """The container that it writes, as :data:`transcoder_tui.models.containers.CONTAINERS` names it."""
        address = self.address
        if address.scheme == "hls":
            return f"hls-{self.format or 'ts'}"
        if address.scheme == "file":
            return RECORDINGS[PurePosixPath(address.file).suffix]
        return {"rtmp": "flv", "rtmps": "flv", "dash": "dash"}.get(address.scheme, "mpegts")
