"""Sources: what a channel reads, and the programs of other makers that send it. A new kind is one entry in FEEDS."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conformance_rig import Rig, listening, until

PCR_PID = "256"
PROGRAMME_RATE = 2_600_000
"""Bits per second of the programme, null packets included."""
SECOND_PROGRAM = "Second"
"""Name of the service that is to be chosen from an MPTS; its number is 2."""
RTSP_SERVER = Path(__file__).with_name("rtsp_server.py")
DEBIAN_PYTHON = "/usr/bin/python3"
Source = dict[str, Any]


def _test(_rig: Rig) -> Source:
    return {"url": "test://bars?size=480x270&fps=25"}


def _file(rig: Rig) -> Source:
    return {"url": f"file://{_in_media_root(rig, rig.clip)}"}


def _playlist(rig: Rig) -> Source:
    names = [_in_media_root(rig, rig.clip, name) for name in ("first.ts", "second.ts", "third.ts")]
    return {"url": f"file://{names[0]}", "playlist": [f"file://{name}" for name in names[1:]]}


def _udp(rig: Rig) -> Source:
    return {"url": _sent(rig, rig.programme)}


def _multicast(rig: Rig) -> Source:
    group, port = rig.group(), rig.port()
    rig.run("multicat", "-p", PCR_PID, "-U", str(rig.programme), f"{group}:{port}@127.0.0.1/ifaddr=127.0.0.1")
    return {"url": f"udp://{group}:{port}", "interface": "lo"}


def _ssm(rig: Rig) -> Source:
    return {**_multicast(rig), "sender": "127.0.0.1"}


def _rtp(rig: Rig) -> Source:
    port = rig.port() & ~1
    rig.run("multicat", "-p", PCR_PID, str(rig.programme), f"127.0.0.1:{port}")
    return {"url": f"rtp://127.0.0.1:{port}"}


def _mpts(program: str) -> Callable[[Rig], Source]:
    """Two programs; the other one than wanted comes first, has another size, and neither flashes nor beeps."""

    def feed(rig: Rig) -> Source:
        return {"url": _sent(rig, rig.programme.with_name("mpts.ts")), "program": program}

    return feed


def _srt_caller(rig: Rig) -> Source:
    port = rig.port()
    rig.run("srt-live-transmit", _sent(rig, rig.programme), f"srt://127.0.0.1:{port}?mode=listener")
    return {"url": f"srt://127.0.0.1:{port}?mode=caller"}


def _srt_listener(rig: Rig) -> Source:
    port = rig.port()
    secret = "passphrase=correct-horse"
    relayed = _sent(rig, rig.programme)
    rig.on_air.append(lambda: rig.run("srt-live-transmit", relayed, f"srt://127.0.0.1:{port}?mode=caller&{secret}"))
    return {"url": f"srt://127.0.0.1:{port}?mode=listener&{secret}"}


def _http(rig: Rig) -> Source:
    # nginx hands the file out no faster than it plays.
    port = rig.port()
    (rig.directory / "live").mkdir()
    (rig.directory / "live" / "programme.ts").symlink_to(rig.programme)
    nginx(rig, http=f"server {{ listen 127.0.0.1:{port}; root live; limit_rate {PROGRAMME_RATE // 8}; }}")
    until(lambda: listening(port), "nginx listens")
    return {"url": f"http://127.0.0.1:{port}/programme.ts"}


def _hls(rig: Rig) -> Source:
    port, _ = _rtmp_server(rig)
    until(lambda: len(list((rig.directory / "hls").glob("*.ts"))) > 3, "segments of nginx")
    return {"url": f"http://127.0.0.1:{port}/key.m3u8"}


def _rtmp(rig: Rig) -> Source:
    _, port = _rtmp_server(rig)
    return {"url": f"rtmp://127.0.0.1:{port}/live/key"}


def _rtmp_listen(rig: Rig) -> Source:
    port = rig.port()

    def publish() -> None:
        until(lambda: listening(port), "FFmpeg listens")
        _publish(rig, port)

    rig.on_air.append(publish)
    return {"url": f"rtmp://127.0.0.1:{port}/live/key", "listen": True}


def _rtsp(rig: Rig) -> Source:
    port = rig.port()
    there = "import gi; gi.require_version('GstRtspServer', '1.0')"
    if subprocess.run([DEBIAN_PYTHON, "-c", there], capture_output=True, check=False).returncode:
        pytest.skip("there is no GStreamer RTSP server: apt install gir1.2-gst-rtsp-server-1.0 python3-gi")
    rig.run(DEBIAN_PYTHON, str(RTSP_SERVER), str(port), str(rig.programme))
    until(lambda: listening(port), "GStreamer listens")
    return {"url": f"rtsp://127.0.0.1:{port}/live"}


FEEDS: Mapping[str, Callable[[Rig], Source]] = {
    "test": _test,
    "file": _file,
    "playlist": _playlist,
    "udp": _udp,
    "multicast": _multicast,
    "ssm": _ssm,
    "rtp": _rtp,
    "mpts, by number": _mpts("2"),
    "mpts, by name": _mpts(SECOND_PROGRAM),
    "srt-caller": _srt_caller,
    "srt-listener": _srt_listener,
    "http-ts": _http,
    "hls": _hls,
    "rtmp": _rtmp,
    "rtmp-listen": _rtmp_listen,
    "rtsp": _rtsp,
}
"""Starts the sender of each kind of source, and gives the source as a line-up has it."""


def nginx(rig: Rig, *, http: str = "", rtmp: str = "") -> None:
    """Starts an nginx of this case's own, with its RTMP module."""
    places = "".join(
        f"{kind}_temp_path temporary-{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    types = "types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }"
    configuration = rig.directory / "nginx.conf"
    configuration.write_text(
        "load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;\n"
        "daemon off; worker_processes 1; pid nginx.pid; error_log nginx-error.log;\n"
        "events {}\n"
        f"rtmp {{ {rtmp} }}\n"
        f"http {{ access_log off; {places} {types} {http} }}\n"
    )
    # Its worker changes to another user where root starts it, and has to reach this directory all the same.
    rig.directory.chmod(0o755)
    rig.run("nginx", "-p", f"{rig.directory}/", "-c", str(configuration), "-g", user_directive())


def user_directive() -> str:
    """nginx as root gives its worker to another user, who cannot reach a test's directory."""
    return "user root;" if Path("/proc/self").stat().st_uid == 0 else "worker_priority 0;"


def _in_media_root(rig: Rig, file: Path, name: str = "clip.ts") -> str:
    rig.host.media_roots[0].mkdir(exist_ok=True)
    (rig.host.media_roots[0] / name).hardlink_to(file)
    return name


def _sent(rig: Rig, file: Path) -> str:
    """The address to which a file is sent, at the pace of its PCR."""
    port = rig.port()
    rig.run("multicat", "-p", PCR_PID, "-U", str(file), f"127.0.0.1:{port}")
    return f"udp://127.0.0.1:{port}"


def _rtmp_server(rig: Rig) -> tuple[int, int]:
    """An nginx to which the programme is published; gives its ports for HLS and RTMP."""
    http, rtmp = rig.port(), rig.port()
    live = "live on; hls on; hls_path hls; hls_fragment 1s; hls_playlist_length 6s;"
    nginx(
        rig,
        http=f"server {{ listen 127.0.0.1:{http}; root hls; }}",
        rtmp=f"server {{ listen 127.0.0.1:{rtmp}; application live {{ {live} }} }}",
    )
    until(lambda: listening(rtmp), "nginx listens")
    _publish(rig, rtmp)
    return http, rtmp


def _publish(rig: Rig, port: int) -> None:
    sound = ("-c:v", "copy", "-c:a", "aac", "-b:a", "128k")
    peer = f"rtmp://127.0.0.1:{port}/live/key"
    rig.run("ffmpeg", "-hide_banner", "-re", "-i", str(rig.programme), *sound, "-f", "flv", peer)
