"""Where a channel's picture and sound come from."""

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

from transcoder_tui.models.address import (
    Address,
    parse_address,
    require_file,
    require_host,
    require_port,
    require_query,
)
from transcoder_tui.models.faults import refuse, refuse_monstrous
from transcoder_tui.models.field import about, refuse_foreign
from transcoder_tui.models.names import MAX_NAME
from transcoder_tui.models.tracks import ALL, Pid, Track, Tracks, TracksOrAll, tracks_of
from transcoder_tui.models.units import check_size, parse_fps

SCHEMES = ("udp", "rtp", "srt", "rtmp", "rtmps", "rtsp", "http", "https", "file", "test")
"""The address schemes of sources; each kind's argv is in ``ffmpeg/inputs.py``."""
DATAGRAMS = ("udp", "rtp")
"""Schemes whose groups are joined on an interface."""
TRANSPORT_STREAMS = ("udp", "rtp", "srt", "http", "https", "file")
"""Schemes that may bring several programs."""
RTMP_PORT = 1935
"""The port of RTMP where an address names none."""
STREAMS = "Streams"
"""Heading of which streams of a source are taken, and how."""
MULTIPLEXES = ("udp", "srt", "http", "https", "file")
"""Those of them of which FFmpeg tells the programs; over RTP it tells the streams only."""
TLS = ("https", "rtmps")
"""Schemes whose servers have a certificate."""
TAKEN_APART = (*TRANSPORT_STREAMS, "rtmp", "rtmps", "rtsp")
"""Schemes whose streams can be chosen from."""

SRT_LATENCY_MS = (20, 8000)
"""Receiver latency that SRT peers negotiate in practice, in milliseconds."""
SRT_PASSPHRASE = (10, 64)
"""Lengths of passphrase that libsrt accepts (SRTO_PASSPHRASE)."""


_DIGITS = re.compile(r"[0-9]{1,9}")


def parse_source(text: str) -> Address:
    """The address of a source, checked for its kind.

    Raises:
        PydanticCustomError: With what is wrong and what would be right.
    """
    address = parse_address(text, SCHEMES)
    if address.scheme in DATAGRAMS:
        require_host(address)
        require_port(address)
        require_query(address, ())
    elif address.scheme == "srt":
        check_srt(address)
    elif address.scheme == "file":
        require_file(address)
    elif address.scheme == "test":
        _check_test(address)
    else:
        require_host(address)
    return address


def check_srt(address: Address) -> None:
    """Refuses an SRT address that libsrt would refuse.

    Raises:
        PydanticCustomError: With what is wrong and what would be right.
    """
    require_port(address)
    require_query(address, ("mode", "latency", "passphrase", "streamid"))
    mode = address.query.get("mode", "caller")
    if mode not in ("caller", "listener"):
        raise refuse(f"mode {mode!r} is unknown to SRT", "choose mode=caller or mode=listener")
    if mode == "caller":
        require_host(address)
    low, high = SRT_LATENCY_MS
    latency = address.query.get("latency", str(low))
    if not _DIGITS.fullmatch(latency) or not low <= int(latency) <= high:
        raise refuse(f"latency {latency!r} is out of range", f"write milliseconds, {low} to {high}")
    shortest, longest = SRT_PASSPHRASE
    if "passphrase" in address.query and not shortest <= len(address.query["passphrase"]) <= longest:
        raise refuse("the passphrase has the wrong length", f"SRT wants {shortest} to {longest} characters")


def _check_test(address: Address) -> None:
    if address.host != "bars" or address.path.strip("/"):
        raise refuse(f"{address.text!r} is no test pattern", "write test://bars?size=1280x720&fps=25")
    require_query(address, ("size", "fps", "tone"))
    check_size(address.query.get("size", "1280x720"))
    fps = parse_fps(address.query.get("fps", "25"))
    if not isinstance(fps, float) or not 1 <= fps <= 120:
        raise refuse(f"fps {address.query['fps']!r} is out of range", "write frames per second, 1 to 120")
    tone = address.query.get("tone", "1000")
    if not _DIGITS.fullmatch(tone) or not 20 <= int(tone) <= 20_000:
        raise refuse(f"tone {tone!r} is out of range", "write hertz, 20 to 20000")


def _check(text: str) -> str:
    return parse_source(text).text


def _check_sender(text: str) -> str:
    try:
        address = ipaddress.IPv4Address(text.strip())
    except ValueError:
        raise refuse(f"{text!r} is no IPv4 address", "write the address that the packets come from") from None
    if address.is_multicast:
        raise refuse(f"{text!r} is a multicast group", "write the address that the packets come from")
    return str(address)


def _check_playlist(value: object) -> object:
    names = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(names, list):
        return value
    for name in names:
        if not isinstance(name, str) or "," in name:
            raise refuse(f"{name!r} is no file address", "write file://CLIP, several with a comma between them")
        require_file(parse_address(name, ("file",)))
    if not names:
        raise refuse("names no file", "write file://CLIP, several with a comma between them")
    return ", ".join(names)


def _check_program(value: object) -> object:
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if _DIGITS.fullmatch(text) and not 1 <= int(text) <= 65535:
        raise refuse(f"{text} is no program number", "write 1 to 65535, or the name of the service")
    if not text or len(text) > MAX_NAME or not text.isprintable():
        raise refuse(
            f"{value!r} is no program", f"write its number, or the name of the service, 1 to {MAX_NAME} characters"
        )
    return text


class Source(BaseModel):
    """One input of a channel. The first in the list is the primary, the others are its backups."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, AfterValidator(_check)] = about(
        "Where the picture comes from: udp:// and rtp:// (multicast or unicast), srt://, rtmp://, rtsp://, http(s):// "
        "(HLS or TS), file:// (looped in real time) or test://bars?size=1280x720&fps=25.",
        label="Address",
        example="udp://239.1.1.1:5000",
    )
    interface: str | None = about(
        "Network interface on which the multicast group is joined, by name or by address. "
        "Without it the routing table chooses.",
        label="Interface",
        example="eth1",
        kinds=DATAGRAMS,
        default=None,
        min_length=1,
        max_length=64,
    )
    sender: Annotated[str, AfterValidator(_check_sender)] | None = about(
        "Take packets from this address only (source-specific multicast, RFC 4607).",
        label="Sender",
        example="192.0.2.10",
        kinds=DATAGRAMS,
        default=None,
    )
    listen: bool | None = about(
        "Wait for a publisher instead of pulling from a server; whoever reaches the port may publish.",
        label="Listen",
        kinds=("rtmp",),
        default=None,
    )
    transport: Literal["tcp", "udp"] | None = about(
        "How the media of an RTSP session travel. tcp if not given.", label="Transport", kinds=("rtsp",), default=None
    )
    tls_verify: bool | None = about(
        "Whether the server's certificate must be valid. Yes if not given.",
        label="Verify TLS",
        kinds=TLS,
        apart=STREAMS,
        default=None,
    )
    playlist: Annotated[str, BeforeValidator(_check_playlist)] | None = about(
        "Files that are played after this one, before it begins again.",
        label="Playlist",
        example="file://second.ts, file://third.ts",
        kinds=("file",),
        default=None,
    )
    program: Annotated[str, BeforeValidator(_check_program)] | None = about(
        "Program of an MPTS: its number, or the name of its service, which is looked for before each start. "
        "Without it, the first streams of all.",
        label="Program",
        example="101",
        kinds=MULTIPLEXES,
        apart=STREAMS,
        default=None,
    )
    video: Pid | None = about(
        "PID of the picture. Without it, the first one; an MPTS in RTP needs it, and PIDs of its sounds.",
        label="Video PID",
        example="0x101",
        kinds=TRANSPORT_STREAMS,
        apart=STREAMS,
        default=None,
    )
    audio: Tracks | None = about(
        "Sound tracks to take, in this order: by language, PID, PID=language, or #2 for the second one. "
        "Without it, the first one.",
        label="Audio tracks",
        example="eng, 0x103=fra",
        kinds=TAKEN_APART,
        apart=STREAMS,
        default=None,
    )
    subtitles: TracksOrAll | None = about(
        "Subtitles to hand on: all, languages or PIDs. Transport streams (udp, rtp, srt, .ts files) take DVB subtitles "
        "and teletext as they are; HLS shows those that are text as WebVTT; all others go without.",
        label="Subtitles",
        example="all",
        kinds=TRANSPORT_STREAMS,
        apart=STREAMS,
        default=None,
    )
    data: TracksOrAll | None = about(
        "Data PIDs to copy into transport streams, likewise: all, or PIDs. SCTE-35 passes as plain data: "
        "splicers do not see it.",
        label="Data PIDs",
        example="0x1f0",
        kinds=TRANSPORT_STREAMS,
        apart=STREAMS,
        default=None,
    )
    deinterlace: Literal["auto", "on", "off", "bob"] = about(
        "auto: frames that are marked as interlaced; on: every frame; bob: every field becomes a frame.",
        label="Deinterlace",
        apart=STREAMS,
        default="auto",
    )

    @model_validator(mode="before")
    @classmethod
    def _readable(cls, document: object) -> object:
        # For whoever asks about a source alone; in a channel, the channel has looked already.
        return refuse_monstrous(document)

    @model_validator(mode="after")
    def _fields_belong(self) -> "Source":
        address = self.address
        refuse_foreign(self, address.scheme)
        if self.sender is not None and not address.is_multicast:
            raise refuse(f"{address.host} is no multicast group", "remove it, or write a group as address", "sender")
        if self.tls_verify is False and address.path.endswith(".m3u8"):
            raise refuse(
                "holds for the playlist only: FFmpeg from version 8 on verifies the segments all the same",
                "have this host trust the server's certificate: update-ca-certificates",
                "tls_verify",
            )
        if self.listen:
            self._check_listening()
        if self.playlist is not None:
            self._check_in_playlist()
        if self.awaited and self.is_chosen_by_name:
            field = "program" if self.names_program else "subtitles"
            raise refuse(
                "cannot be looked for by name before a peer calls",
                "write the program's number" if self.names_program else "write all, #1 or a PID",
                field,
            )
        return self

    def _check_listening(self) -> None:
        address = self.address
        try:
            ipaddress.ip_address(address.host)
        except ValueError:
            raise refuse(
                f"{address.host} is no IP address to wait on", "write rtmp://0.0.0.0:1935/APPLICATION/KEY", "url"
            ) from None
        if not address.path.strip("/"):
            raise refuse("names no application", "write rtmp://0.0.0.0:1935/APPLICATION/KEY", "url")

    def _check_in_playlist(self) -> None:
        """FFmpeg numbers the streams of a playlist anew, and loses picture or sound where the container changes."""
        endings = {address.file.rpartition(".")[2].lower() for address in (self.address, *self.playlist_addresses)}
        if len(endings) > 1:
            found = " and ".join(f".{ending}" for ending in sorted(endings))
            raise refuse(f"mixes {found}", "bring all files into the same container, such as .ts", "playlist")
        chosen = {"program": self.program is not None, "video": self.video is not None}
        for name in ("audio", "subtitles", "data"):
            entries = tracks_of(getattr(self, name) or ALL)
            chosen[name] = any(track.pid is not None for track in entries)
        for name, by_number in chosen.items():
            if by_number:
                raise refuse("cannot be chosen in a playlist", "remove it, or choose by language or place, #1", name)

    @property
    def address(self) -> Address:
        """The address taken apart."""
        return parse_source(self.url)

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The sound tracks that it gives."""
        return tracks_of(self.audio) if self.audio else (Track(place=1),)

    @property
    def playlist_addresses(self) -> tuple[Address, ...]:
        """The files that are played after the first."""
        return tuple(parse_address(name, ("file",)) for name in self.playlist.split(", ")) if self.playlist else ()

    @property
    def names_program(self) -> bool:
        """Whether the program is given by the name of its service."""
        return self.program is not None and not self.program.isdigit()

    @property
    def is_chosen_by_name(self) -> bool:
        """Whether FFmpeg can be told what to take only after a look into the source.

        Of a language that may be missing, FFmpeg 7 and later cannot be told either.
        """
        copied = [*tracks_of(self.subtitles or ALL), *tracks_of(self.data or ALL)]
        return self.names_program or any(track.pid is None and track.language for track in copied)

    @property
    def awaited(self) -> str:
        """Who must connect to us before anything comes, such as ``a publisher on port 1935``; empty where nobody."""
        address = self.address
        if self.listen:
            return f"a publisher on port {address.port or RTMP_PORT}"
        if address.scheme == "srt" and address.query.get("mode") == "listener":
            return f"a caller on port {address.port}"
        return ""

    @property
    def words(self) -> str:
        """Address and interface in a few words, secrets masked: ``udp://239.1.1.1:5000 on eth1``."""
        return self.address.masked + (f" on {self.interface}" if self.interface else "")

    @property
    def listens_on(self) -> str | None:
        """The port that only one program can receive on; None where others may receive too, or it is elsewhere."""
        address = self.address
        if address.scheme in DATAGRAMS and not address.is_multicast:
            return f"udp://{address.authority}"
        if self.listen:
            return f"tcp://:{address.port or RTMP_PORT}"
        if address.scheme == "srt" and address.query.get("mode") == "listener":
            return f"srt://:{address.port}"
        return None
