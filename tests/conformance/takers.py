"""Outputs: what a channel writes, the programs of other makers that take it, and what is read of it.

A new kind is one entry in TAKERS.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance_figures import RECORDING_GAP, Reading
from conformance_rig import Rig, listening, tool, until
from dash import dash_readings
from feeds import nginx
from media_readings import Expected, frames_lost, media_readings
from playlists import SegmentKind, hls_readings
from transport_stream import Service, pace_readings, transport_stream_readings

from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.output import Output

WINDOW = 100
"""Segments: all that a case makes, so that each of them can be read."""

Measure = Callable[[ChannelSpec, Output, Sequence[Expected]], list[Reading]]


@dataclass(frozen=True)
class Taker:
    """Somebody who receives an output."""

    output: dict[str, Any]
    """The output as a line-up has it, without its rendition."""
    measure: Measure
    """What is read of it when the channel has ended; takes the channel, the output and the rungs that it carries."""
    ladder: bool = False
    """Whether it carries all rungs."""


def _udp(rig: Rig) -> Taker:
    return _datagrams(rig, "udp", "127.0.0.1", "-u")


def _multicast(rig: Rig) -> Taker:
    return _datagrams(rig, "udp", rig.group(), "-u")


def _rtp(rig: Rig) -> Taker:
    return _datagrams(rig, "rtp", rig.group())


def _service(rig: Rig) -> Taker:
    return _datagrams(
        rig,
        "udp",
        "127.0.0.1",
        "-u",
        service_id=101,
        service_name="Sport 1",
        service_provider="Uplink",
        transport_stream_id=7,
        network_id=34,
        pmt_pid="0x80",
        video_pid="0x81",
        audio_pid="0x85",
    )


def _datagrams(rig: Rig, scheme: str, host: str, *options: str, **fields: Any) -> Taker:
    """A receiver of datagrams, which also writes down when each of them came."""
    port = rig.port() & ~1
    capture = rig.directory / f"{scheme}-{port}.ts"
    group = "/ifaddr=127.0.0.1" if host != "127.0.0.1" else ""
    process = rig.run("multicat", *options, "-U", f"@{host}:{port}{group}", str(capture))
    until(capture.exists, "multicat receives")

    def measure(spec: ChannelSpec, output: Output, rungs: Sequence[Expected]) -> list[Reading]:
        rig.end(process)
        return _stream(capture, spec, output, rungs[0]) + pace_readings(
            capture.with_suffix(".aux"), spec.muxrate(output)
        )

    return Taker({"url": f"{scheme}://{host}:{port}", "interface": "lo", **fields}, measure)


def _srt_caller(rig: Rig) -> Taker:
    """The channel calls."""
    secret = "passphrase=correct-horse"
    return _srt(rig, "caller", f"srt://127.0.0.1:{{port}}?mode=listener&{secret}", secret)


def _srt_listener(rig: Rig) -> Taker:
    """The channel waits to be called."""
    return _srt(rig, "listener", "srt://127.0.0.1:{port}?mode=caller", "")


def _srt(rig: Rig, mode: str, peer: str, secret: str) -> Taker:
    port = rig.port()
    capture = rig.directory / f"srt-{port}.ts"

    def take() -> None:
        rig.run("srt-live-transmit", "-q", "-buffering:1", peer.format(port=port), "file://con", output=capture)

    if mode == "caller":
        take()
    else:
        rig.on_air.append(take)

    def measure(spec: ChannelSpec, output: Output, rungs: Sequence[Expected]) -> list[Reading]:
        rig.close()
        return _stream(capture, spec, output, rungs[0])

    query = "&".join(part for part in (f"mode={mode}", secret) if part)
    return Taker({"url": f"srt://127.0.0.1:{port}?{query}"}, measure)


def _stream(capture: Path, spec: ChannelSpec, output: Output, expected: Expected) -> list[Reading]:
    service = service_of(spec, output, expected)
    readings = transport_stream_readings(tool, capture, service=service, muxrate=spec.muxrate(output))
    return readings + media_readings(tool, str(capture), expected)


def service_of(spec: ChannelSpec, output: Output, expected: Expected) -> Service:
    """What the tables should say: what the output says, else what its fields' help promises."""
    given = {
        "number": output.service_id,
        "name": output.service_name,
        "provider": output.service_provider,
        "pmt_pid": output.pmt_pid,
        "video_pid": output.video_pid,
        "audio_pid": output.audio_pid,
    }
    stated = {name: value for name, value in given.items() if value is not None}
    promised: dict[str, Any] = {"name": spec.name, **stated}
    if expected.audio is None:
        promised["audio_pid"] = None
    return Service(**promised)


def _rtmp(rig: Rig) -> Taker:
    port = rig.port()
    (rig.directory / "taken").mkdir(mode=0o777)
    application = "application live { live on; record all; record_path taken; record_unique off; }"
    nginx(rig, rtmp=f"server {{ listen 127.0.0.1:{port}; {application} }}")
    until(lambda: listening(port), "nginx listens")

    def measure(_spec: ChannelSpec, _output: Output, rungs: Sequence[Expected]) -> list[Reading]:
        rig.close()
        return media_readings(tool, str(rig.directory / "taken" / "key.flv"), rungs[0])

    return Taker({"url": f"rtmp://127.0.0.1:{port}/live/key"}, measure)


def _file(ending: str) -> Callable[[Rig], Taker]:
    def take(rig: Rig) -> Taker:
        def measure(_spec: ChannelSpec, _output: Output, rungs: Sequence[Expected]) -> list[Reading]:
            file = rig.host.media_roots[0] / f"record{ending}"
            found = media_readings(tool, str(file), rungs[0])
            if ending == ".ts":
                found += transport_stream_readings(tool, file, service=None, muxrate=None)
            return found

        return Taker({"url": f"file://record{ending}"}, measure)

    return take


def _hls(kind: SegmentKind, **fields: Any) -> Callable[[Rig], Taker]:
    def take(rig: Rig) -> Taker:
        def measure(_spec: ChannelSpec, _output: Output, rungs: Sequence[Expected]) -> list[Reading]:
            return hls_readings(tool, rig.host.hls_root / "ladder" / "master.m3u8", rungs, kind)

        window = {} if "playlist" in fields else {"window": WINDOW}
        return Taker({"url": "hls://ladder", "segment": "2s", **window, **fields}, measure, ladder=True)

    return take


def _dash(rig: Rig) -> Taker:
    def measure(_spec: ChannelSpec, _output: Output, rungs: Sequence[Expected]) -> list[Reading]:
        (manifest,) = (rig.host.hls_root / "ladder").glob("*.mpd")
        return dash_readings(tool, manifest, rungs)

    return Taker({"url": "dash://ladder", "segment": "2s", "window": WINDOW}, measure, ladder=True)


def _recordings(rig: Rig) -> Taker:
    """A new file every ten seconds."""

    def measure(_spec: ChannelSpec, _output: Output, rungs: Sequence[Expected]) -> list[Reading]:
        files = [str(file) for file in sorted(rig.host.media_roots[0].glob("record*.ts"))]
        assert len(files) >= 3, files
        readings = [Reading(RECORDING_GAP, frames_lost(tool, files))]
        # The first one ends with the next whole ten seconds of the clock, which may be at once.
        for file in files[1:3]:
            readings += media_readings(tool, file, rungs[0])
        return readings

    return Taker({"url": "file://record.ts", "split": "10s"}, measure)


TAKERS: Mapping[str, Callable[[Rig], Taker]] = {
    "udp": _udp,
    "multicast": _multicast,
    "udp, own PIDs": _service,
    "rtp": _rtp,
    "srt-caller": _srt_caller,
    "srt-listener": _srt_listener,
    "rtmp": _rtmp,
    "ts": _file(".ts"),
    "mp4": _file(".mp4"),
    "mkv": _file(".mkv"),
    "ts, split": _recordings,
    "dash": _dash,
    "hls": _hls(SegmentKind()),
    "hls-fmp4": _hls(SegmentKind(fragmented=True), format="fmp4"),
    "hls-event": _hls(SegmentKind(), playlist="event"),
    "hls-aes": _hls(SegmentKind(encrypted=True, keys=2), encryption="aes-128", key_rotation="10s"),
}
"""Starts the receiver of each kind of output."""
