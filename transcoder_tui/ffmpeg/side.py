"""Where a fault lies: with the source, an output, the encoder or this machine."""

import re
from enum import StrEnum
from urllib.parse import unquote, urlsplit


class Side(StrEnum):
    """Whose fault something is; another source helps against :attr:`SOURCE` only."""

    SOURCE = "source"
    """What is read, or the way from it to this machine."""
    OUTPUT = "output"
    """What is written to: a server, a group, a container or a directory."""
    ENCODER = "encoder"
    """The encoder or a filter, or the settings of either."""
    HOST = "host"
    """This machine: its power, memory, disks and drivers, its FFmpeg, or somebody who ended FFmpeg."""
    UNKNOWN = "unknown"
    """It could not be told."""


_OF_INPUT = re.compile(
    r"\[(?:in#|[avds]?ist#|dec:|https? @|rtsp @|concat @)|Error opening input|Error during demuxing|IP_ADD_MEMBERSHIP"
)
_OF_OUTPUT = re.compile(
    r"\[(?:out#|[avds]?ost#|enc:|fifo @|tee @|segment @|hls muxer @)"
    r"|Error opening output|Could not write header|av_interleaved_write_frame"
)
_URL = re.compile(r"\b(?P<scheme>udp|rtp|rtsp|srt|tcp|tls|rtmps?|https?)://(?P<authority>[^\s'/?]*[^\s'/?:.,])")
_FILE = re.compile(r"\bfile:(?P<path>.+?)'?(?:: |$)")
_HOST = re.compile(r"(?:Failed to resolve hostname |getaddrinfo\()(?P<host>[^:,\s]+)")
_ANY = "0.0.0.0"
"""What a listener without a host is logged as."""
_PORTS = {"http": 80, "https": 443, "rtmp": 1935, "rtmps": 443, "rtsp": 554}


def side_of(text: str, source: str) -> Side:
    """Whom a log line speaks of: tells by the part of FFmpeg that wrote it, or by the address that it names.

    Args:
        text: The line's text with its context.
        source: Address of the channel's source.
    """
    if _OF_INPUT.search(text):
        return Side.SOURCE
    if _OF_OUTPUT.search(text):
        return Side.OUTPUT
    if "://" not in source:
        return Side.UNKNOWN
    if named := _HOST.search(text):
        return _by_peer(named["host"], None, source)
    if file := _FILE.search(text):
        name = unquote(source.removeprefix("file://")).lstrip("/")
        is_source = source.startswith("file://") and file["path"].endswith(f"/{name}")
        return Side.SOURCE if is_source else Side.OUTPUT
    if url := _URL.search(text):
        return _by_url(url["scheme"], url["authority"], source)
    return Side.UNKNOWN


def _by_url(scheme: str, authority: str, source: str) -> Side:
    if scheme in ("http", "https"):
        return Side.SOURCE
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        return _by_peer(parts.hostname or "", parts.port, source)
    except ValueError:
        return Side.UNKNOWN


def _by_peer(host: str, port: int | None, source: str) -> Side:
    try:
        parts = urlsplit(source)
        at = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return Side.UNKNOWN
    if host.lower() == (parts.hostname or _ANY) and (port is None or at is None or port == at):
        return Side.SOURCE
    # A playlist or a redirection leads to other servers than the one that the source names.
    return Side.UNKNOWN if parts.scheme in ("http", "https") else Side.OUTPUT
