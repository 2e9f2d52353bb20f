"""What FFmpeg is told to read: a new kind of source is one entry in :data:`KINDS`."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from transcoder_tui.errors import HostFault
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.selection import companions, picture, sounds
from transcoder_tui.models.address import Address
from transcoder_tui.models.source import RTMP_PORT, TLS, Source
from transcoder_tui.models.units import frame_rate, parse_fps

NETWORK_TIMEOUT_US = 5_000_000
"""Microseconds without a packet or an answer after which FFmpeg ends itself: below the watchdogs' 15 s, so that the
log says what happened. Without it FFmpeg waits for ever."""
RECEIVE_BUFFER = 8_000_000
"""Bytes of socket buffer: a 3 s freeze at 8.8 Mb/s lost packets with the default of 384 KiB and none with this.
The kernel caps it at ``net.core.rmem_max``."""
FIFO_PACKETS = 50_000
"""Transport stream packets between the receiving thread and the demuxer: 9.4 MB."""
PROBE = 10_000_000
"""Microseconds and bytes at most to look for streams; with ``scan_all_pmts 0`` FFmpeg stops as soon as it has them."""

_DECODER = ("-thread_queue_size", "1024", "-threads", "2")
_GENERATOR = ("-thread_queue_size", "8", "-threads", "2")
"""Pictures from lavfi are raw, and FFmpeg up to 6 fills the queue ahead of time: 1024 of them are 600 MB at 480p."""
_LIVE = (*_DECODER, "-fflags", "+genpts+discardcorrupt", "-dts_delta_threshold", "1")
"""``dts_delta_threshold 1``: longer jumps of the timestamps are collapsed instead of filled with repeated frames."""
_PROBING = ("-analyzeduration", str(PROBE), "-probesize", str(PROBE))
_UNKNOWN = ("-max_probe_packets", "1")
"""A private PID without descriptors is guessed at by its first packet. By default FFmpeg holds back everything until it
has 2500 packets of it or ``probesize`` of all: with one of five packets a second, a service of 1.6 Mb/s did not start
within 16 s, and within 1.7 s with this. Not for RTP, whose payload FFmpeg 5.1 would take for sound then."""
_TRANSPORT_STREAM = (*_LIVE, *_UNKNOWN, "-scan_all_pmts", "0", *_PROBING, "-format_whitelist", "mpegts")
"""Not ``-f mpegts``: with it a silent source is read again and again, 17 to 22 s instead of one timeout (measured)."""
OF_MULTIPLEX = {"-max_probe_packets": "8", "-analyzeduration": "5000000"}
"""What is told otherwise of several programs in one stream. FFmpeg reads packets of the others before their PMTs, and
by one packet of a picture FFmpeg 5.1 took it for MP3 for good, in a third of all starts; by eight, the PMT has come.
And it looks for what nothing can be seen of, scrambled programs and silent PIDs, to the limit of the analysis: a chosen
program was on air after 11 s, and after 6 s with this (measured with 5.1 and 9.0)."""
_RTP = (
    *(*_LIVE, "-analyzeduration", "5000000", "-probesize", str(PROBE)),
    *("-format_whitelist", "rtp,sdp,mpegts"),
)
"""FFmpeg reads RTP as a session description of its own making, to which ``scan_all_pmts`` is unknown; FFmpeg 9.0 goes
to the limit of the analysis where the sound is MPEG layer 2 (measured)."""
_FILES = "mpegts,mov,matroska,webm,flv,mpeg,mpegvideo,h264,hevc,avi,mxf,asf,ogg,gxf,dv"
"""Demuxers of media files. Others, such as playlists, could name files outside of the media roots."""
_SEGMENTS = "hls,mpegts,mov,aac,ac3,eac3,mp3,webvtt"
"""Demuxers of HLS and of what its segments are, each of which FFmpeg probes by itself (RFC 8216, 3)."""
_PUBLISHED = ("-format_whitelist", "flv,live_flv")
_SESSION = ("-format_whitelist", "rtsp")
"""What RTMP and RTSP bring is always the same: no server has anything to choose there."""
_PLAYED = ("-fflags", "+genpts", "-re", "-stream_loop", "-1")

RECONNECT = (
    *("-reconnect", "1", "-reconnect_at_eof", "1", "-reconnect_streamed", "1"),
    *("-reconnect_on_network_error", "1", "-reconnect_delay_max", "2"),
)
"""An HTTP server may close a live stream or stall; tried again for some two seconds before FFmpeg ends."""
DEFAULT_SRT_LATENCY_MS = 120
"""Milliseconds; libsrt's own default (SRTO_LATENCY)."""
_ANY_ADDRESS = ("0.0.0.0", "::")
Arguments = tuple[str, ...]


@dataclass(frozen=True)
class Input:
    """One source as FFmpeg reads it."""

    args: tuple[str, ...]
    """Arguments up to and including each ``-i URL``."""
    video: str = "0:v:0"
    """The picture, as a filter graph names it."""
    audios: tuple[str, ...] = ("0:a:0",)
    """The sound tracks, likewise, in the order of the channel's tracks."""
    copied: tuple[str, ...] = ()
    """Subtitles and data that are handed on as they are, as ``-map`` names them."""
    texts: tuple[str, ...] = ()
    """Subtitles that become WebVTT, likewise."""


def build_input(source: Source, host: HostFacts, field: str) -> Input:
    """The arguments that open a source.

    Args:
        source: The source.
        host: This machine.
        field: The source's path in the document, such as ``sources[0]``.

    Raises:
        HostFault: Where this machine lacks the interface.
        InvalidInput: Where a file lies outside the media roots.
    """
    args = KINDS[source.address.scheme](source, source.address, host, field)
    return Input(args, picture(source), sounds(source), companions(source))


def _udp(source: Source, address: Address, host: HostFacts, field: str) -> Arguments:
    query = {
        "fifo_size": str(FIFO_PACKETS),
        "buffer_size": str(RECEIVE_BUFFER),
        "overrun_nonfatal": "1",
        "timeout": str(NETWORK_TIMEOUT_US),
        **_joined_on(source, host, field),
    }
    return (*_whitelist("udp"), *_transport_stream(source), "-i", f"udp://{address.authority}?{_joined(query)}")


def _transport_stream(source: Source) -> Arguments:
    chosen = source.program is not None or source.video is not None
    return tuple(told_otherwise(_TRANSPORT_STREAM, OF_MULTIPLEX if chosen else {}))


def told_otherwise(arguments: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """Arguments with other values behind some of their options.

    Args:
        arguments: Options and their values.
        values: The other values, by option; those that are not among the arguments are left out.
    """
    return [values.get(option, argument) for option, argument in zip(["", *arguments], arguments, strict=False)]


def _rtp(source: Source, address: Address, host: HostFacts, field: str) -> Arguments:
    # The timeout holds until the first packet only: what is lost later, the watchdog sees.
    query = {
        "buffer_size": str(RECEIVE_BUFFER),
        "timeout": str(NETWORK_TIMEOUT_US),
        **_joined_on(source, host, field),
    }
    return (*_whitelist("rtp", "udp"), *_RTP, "-i", f"rtp://{address.authority}?{_joined(query)}")


def _joined_on(source: Source, host: HostFacts, field: str) -> dict[str, str]:
    """Where a group is joined, and from whom."""
    address, query = source.address, {}
    if source.interface is not None:
        query["localaddr"] = host.local_address(source.interface, f"{field}.interface")
    elif not address.is_multicast and host.is_local(address.host):
        # Without localaddr FFmpeg receives on every address of the host, whatever the URL names.
        query["localaddr"] = address.host
    if source.sender is not None:
        query["sources"] = source.sender
    return query


def _http(source: Source, address: Address, _host: HostFacts, _field: str) -> Arguments:
    timeout = ("-rw_timeout", str(NETWORK_TIMEOUT_US))
    if address.path.endswith(".m3u8"):
        # "crypto" and "data" are what encrypted segments and inline keys are read through.
        whitelist = _whitelist("http", "https", "tls", "tcp", "crypto", "data")
        formats = ("-format_whitelist", _SEGMENTS, "-f", "hls")
        return (*whitelist, *_secure(source), *timeout, *_LIVE, *_PROBING, *formats, "-i", address.text)
    whitelist = _whitelist("http", "https", "tls", "tcp")
    return (*whitelist, *_secure(source), *timeout, *RECONNECT, *_transport_stream(source), "-i", address.text)


def _rtmp(source: Source, address: Address, host: HostFacts, field: str) -> Arguments:
    timeout = ("-rw_timeout", str(NETWORK_TIMEOUT_US))
    listen: tuple[str, ...] = ()
    if source.listen:
        if address.host not in _ANY_ADDRESS and not host.is_local(address.host):
            raise HostFault(
                f"{address.host} is no address of this host",
                f"write rtmp://0.0.0.0:{address.port or RTMP_PORT}/… to wait on all of them",
                f"{field}.url",
            )
        listen = ("-listen", "1")
    whitelist = _whitelist("rtmp", "rtmps", "tls", "tcp")
    return (*whitelist, *_secure(source), *timeout, *listen, *_LIVE, *_PROBING, *_PUBLISHED, "-i", address.text)


def _rtsp(source: Source, address: Address, _host: HostFacts, _field: str) -> Arguments:
    session = ("-rtsp_transport", source.transport or "tcp", "-timeout", str(NETWORK_TIMEOUT_US))
    return (*_whitelist("rtp", "udp", "tcp"), *session, *_LIVE, *_PROBING, *_SESSION, "-i", address.text)


def _secure(source: Source) -> Arguments:
    """Always told: FFmpeg verifies certificates from version 8 on if it is not told, and before it does not."""
    if source.address.scheme not in TLS:
        return ()
    return ("-tls_verify", "0" if source.tls_verify is False else "1")


def _srt(source: Source, address: Address, _host: HostFacts, _field: str) -> Arguments:
    given = address.query
    mode = given.get("mode", "caller")
    query = {
        "mode": mode,
        "latency": str(int(given.get("latency", DEFAULT_SRT_LATENCY_MS)) * 1000),
        "timeout": str(NETWORK_TIMEOUT_US),
    }
    # As options, not in the URL: there FFmpeg would change some of their characters and log the rest.
    secret = ("-passphrase", given["passphrase"]) if "passphrase" in given else ()
    stream = ("-srt_streamid", given["streamid"]) if "streamid" in given else ()
    authority = address.authority if address.host else f"0.0.0.0:{address.port}"
    url = f"srt://{authority}?{_joined(query)}"
    return (*_whitelist("srt"), *secret, *stream, *_transport_stream(source), "-i", url)


def _file(source: Source, address: Address, host: HostFacts, field: str) -> Arguments:
    path = host.media_file(address, f"{field}.url")
    if source.playlist is None:
        return (*_whitelist("file"), *_DECODER, *_PLAYED, "-format_whitelist", _FILES, "-i", f"file:{path}")
    paths = [path, *(host.media_file(entry, f"{field}.playlist") for entry in source.playlist_addresses)]
    formats = ("-format_whitelist", f"concat,{_FILES}", "-f", "concat", "-safe", "0")
    return (*_whitelist("file", "data"), *_DECODER, *_PLAYED, *formats, "-i", _concat_script(paths))


def _concat_script(paths: Sequence[Path]) -> str:
    """The list for FFmpeg's concat demuxer, inside an address, so that nothing has to be written.

    A quote ends the quoted name, stands escaped, and the name goes on (ffmpeg-utils, "Quoting and escaping").
    """
    names = [str(path).replace("'", "'\\''") for path in paths]
    script = "ffconcat version 1.0\n" + "".join(f"file 'file:{name}'\n" for name in names)
    return f"data:text/plain;base64,{base64.b64encode(script.encode()).decode()}"


def _test(_source: Source, address: Address, _host: HostFacts, _field: str) -> Arguments:
    size = address.query.get("size", "1280x720")
    rate = frame_rate(cast(float, parse_fps(address.query.get("fps", "25"))))
    pitch = address.query.get("tone", "1000")
    lavfi = (*_whitelist("none"), *_GENERATOR, "-re", "-f", "lavfi", "-i")
    bars = (*lavfi, f"testsrc2=size={size}:rate={rate}")
    tone = (*lavfi, f"sine=frequency={pitch}:sample_rate=48000")
    return (*bars, *tone)


KINDS: Mapping[str, Callable[[Source, Address, HostFacts, str], Arguments]] = {
    "udp": _udp,
    "rtp": _rtp,
    "http": _http,
    "https": _http,
    "rtmp": _rtmp,
    "rtmps": _rtmp,
    "rtsp": _rtsp,
    "srt": _srt,
    "file": _file,
    "test": _test,
}
"""How each scheme of source is opened."""


def _whitelist(*protocols: str) -> tuple[str, str]:
    """Confines an input to its protocols, whatever a playlist or a redirection in it asks for."""
    return "-protocol_whitelist", ",".join(protocols)


def _joined(query: Mapping[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in query.items())
