"""Every kind of source, read by real FFmpegs from real senders on this machine, and what is chosen of it."""

import http.server
import re
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from companion_pids import DATA, SCTE35, SUBTITLES, TELETEXT, with_companions
from feeding import DATAGRAM, flood
from rtsp_peer import RtspPeer

from transcoder_tui.errors import HostFault, SourceFault
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts, build_command
from transcoder_tui.ffmpeg.probe import build_probe, is_there
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.worker.errand import run_errand
from transcoder_tui.worker.resolution import resolved

Probe = Callable[..., Any]
MPTS_BPS = 1_600_000
"""Rate of the multiplex, somewhat above what it holds."""
PMT_PID = 0x1000


def channel(source: dict[str, Any] | str, *, output: str = "file://out.ts", **audio: Any) -> ChannelSpec:
    video = {"size": "160x90", "bitrate": "150k", "preset": "ultrafast", "gop": "1s"}
    return ChannelSpec.model_validate(
        {
            "name": "Test",
            "sources": [source if isinstance(source, dict) else {"url": source}],
            "renditions": [{"name": "only", "video": video, "audio": {"bitrate": "64k", **audio}}],
            "outputs": [{"url": output}],
        }
    )


@pytest.fixture(scope="module")
def multiplex(binary: Binary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SPORT (101) with sounds in eng, fra, eng, with teletext, subtitles, SCTE-35 and data; NEWS (102) with fra."""
    file = tmp_path_factory.mktemp("feed") / "mpts.ts"
    tones = [part for pitch in (440, 880, 1320) for part in ("-f", "lavfi", "-i", f"sine=f={pitch}:r=48000")]
    pids = (0x101, 0x102, 0x103, 0x104, 0x201, 0x202)
    languages = ("eng", "fra", "eng", "fra")
    argv = [
        *(str(binary.path), "-loglevel", "error", "-y"),
        *("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi", "-i", "smptebars=s=320x180:r=25", *tones),
        *(part for stream in ("0:v", "2:a", "3:a", "4:a", "1:v", "3:a") for part in ("-map", stream)),
        *("-t", "3", "-c:v", "mpeg2video", "-g", "12", "-b:v", "300k", "-c:a", "mp2", "-b:a", "64k"),
        *(f"{part}" for n, lang in enumerate(languages) for part in (f"-metadata:s:a:{n}", f"language={lang}")),
        *(
            "-program",
            "program_num=101:title=SPORT:st=0:st=1:st=2:st=3",
            "-program",
            "program_num=102:title=NEWS:st=4:st=5",
        ),
        *(part for n, pid in enumerate(pids) for part in ("-streamid", f"{n}:{pid}")),
        *("-muxrate", str(MPTS_BPS), "-f", "mpegts", f"file:{file}"),
    ]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    file.write_bytes(with_companions(file.read_bytes(), PMT_PID))
    return file


@pytest.fixture
def sender(helper: Any) -> Callable[..., None]:
    """Sends a small programme from this FFmpeg to an address, until the test has ended."""

    def send(url: str, muxer: str = "mpegts", *options: str, codec: str = "mpeg2video", sound: str = "mp2") -> None:
        source = ("-re", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-re", "-f", "lavfi", "-i", "sine=r=48000")
        encode = ("-c:v", codec, "-g", "12", "-b:v", "300k", "-c:a", sound)
        helper(*source, *encode, *options, "-f", muxer, url)

    return send


def copied_file(host: HostFacts, file: Path, name: str = "clip.ts") -> str:
    """Puts a file below the media root; gives its address."""
    host.media_roots[0].mkdir(exist_ok=True)
    (host.media_roots[0] / name).write_bytes(file.read_bytes())
    return f"file://{name}"


class TestDatagrams:
    def test_of_a_group_only_the_chosen_sender_comes_through(
        self, start: Any, sender: Any, free_port: Any, eventually: Any
    ) -> None:
        url = f"udp://239.255.78.1:{free_port()}"
        sender(f"{url}?pkt_size=1316&localaddr=127.0.0.1", "mpegts", "-mpegts_start_pid", "0x700")
        sender(f"{url}?pkt_size=1316&localaddr=127.0.0.2", "mpegts", "-mpegts_start_pid", "0x300")

        run = start(channel({"url": url, "interface": "lo", "sender": "127.0.0.2"}))

        eventually(lambda: run.media_time > 1)
        assert "[0x300]" in run.log
        assert "[0x700]" not in run.log
        assert "corrupt" not in run.log

    def test_rtp_is_received_from_a_group_and_its_tracks_are_chosen_by_pid(
        self, start: Any, helper: Any, multiplex: Path, free_port: Any, eventually: Any
    ) -> None:
        port = free_port() & ~1
        feed = (
            "-re",
            "-stream_loop",
            "-1",
            "-i",
            f"file:{multiplex}",
            "-map",
            "0:i:0x101",
            "-map",
            "0:a",
            "-c",
            "copy",
        )
        pids = ("-streamid", "0:257", "-streamid", "1:258", "-streamid", "2:259")
        target = f"rtp://239.255.78.2:{port}?pkt_size=1316&localaddr=127.0.0.1"
        helper(*feed, *pids, "-streamid", "3:260", "-streamid", "4:514", "-f", "rtp_mpegts", target)
        source = {"url": f"rtp://239.255.78.2:{port}", "interface": "127.0.0.1", "sender": "127.0.0.1"}

        run = start(channel({**source, "video": "0x101", "audio": "0x103=fra"}))

        eventually(lambda: run.media_time > 0.5)

    @pytest.mark.long
    def test_unicast_rtp_is_received_and_its_absence_noticed(
        self, start: Any, sender: Any, free_port: Any, eventually: Any
    ) -> None:
        silent = start(channel(f"rtp://127.0.0.1:{free_port() & ~1}", output="file://silent.ts"))
        url = f"rtp://127.0.0.1:{free_port() & ~1}"
        run = start(channel(url))
        sender(f"{url}?pkt_size=1316", "rtp_mpegts", sound="aac")

        eventually(lambda: run.media_time > 0.5)
        assert silent.verdict().heals

    def test_a_private_pid_of_few_packets_does_not_hold_up_the_start(
        self, start: Any, multiplex: Path, free_port: Any, eventually: Any
    ) -> None:
        port = free_port()
        run = start(channel({"url": f"udp://127.0.0.1:{port}", "program": 101, "data": "all"}))

        with flood(multiplex, port, pause_s=DATAGRAM * 8 / MPTS_BPS):
            # Held back, it would take a minute.
            eventually(lambda: run.media_time > 0.5)

    def test_an_overrun_is_survived(self, start: Any, multiplex: Path, free_port: Any, eventually: Any) -> None:
        port = free_port()
        spec = channel(f"udp://127.0.0.1:{port}")
        spec.renditions[0].video.size = "1920x1080"
        spec.renditions[0].video.preset = "medium"
        run = start(spec)
        with flood(multiplex, port):
            eventually(lambda: "buffer overrun" in run.log, 60)

        before = run.media_time
        with flood(multiplex, port, pause_s=0.002):
            eventually(lambda: run.media_time > before + 0.5, 60)


class TestSessions:
    def test_srt_is_pulled_from_a_listener_with_passphrase_and_stream_id(
        self, start: Any, sender: Any, free_port: Any, eventually: Any
    ) -> None:
        port = free_port()
        sender(f"srt://127.0.0.1:{port}?mode=listener&passphrase=correct-horse")
        query = "passphrase=correct-horse&latency=200&streamid=news/hd"

        # A caller that comes before its listener is tried again by the worker.
        run = eventually(lambda: survivor(start(channel(f"srt://127.0.0.1:{port}?{query}"))), 60)

        eventually(lambda: run.media_time > 0.5)
        assert "correct-horse" not in run.log

    def test_a_published_rtmp_stream_is_waited_for(
        self, start: Any, sender: Any, free_port: Any, eventually: Any
    ) -> None:
        port = free_port()
        run = start(channel({"url": f"rtmp://0.0.0.0:{port}/live/key", "listen": True}))
        eventually(lambda: listens(port))

        sender(f"rtmp://127.0.0.1:{port}/live/key", "flv", "-preset", "ultrafast", codec="libx264", sound="aac")

        eventually(lambda: run.media_time > 0.5)

    def test_a_published_stream_is_not_waited_for_on_the_address_of_another_host(
        self, binary: Binary, host: HostFacts
    ) -> None:
        with pytest.raises(HostFault) as refusal:
            build_command(channel({"url": "rtmp://192.0.2.9/live/key", "listen": True}), binary, host)

        fault = refusal.value.faults[0]
        assert (fault.field, fault.fault) == ("sources[0].url", "192.0.2.9 is no address of this host")
        assert fault.remedy == "write rtmp://0.0.0.0:1935/… to wait on all of them"

    def test_rtsp_is_pulled_over_tcp_and_over_udp(self, start: Any, rtsp: list[RtspPeer], eventually: Any) -> None:
        tcp, udp = rtsp
        runs = [
            start(channel(tcp.url)),
            start(channel({"url": udp.url, "transport": "udp"}, output="file://other.ts")),
        ]

        eventually(lambda: all(run.media_time > 0.5 for run in runs))
        assert "interleaved" in tcp.transports[0]
        assert "client_port" in udp.transports[0]


@pytest.fixture
def rtsp(binary: Binary, tmp_path: Path) -> Iterator[list[RtspPeer]]:
    file = tmp_path / "rtsp.ts"
    make_clip(binary, file, "160x90", 1, "-t", "20", "-muxrate", "1M")
    peers = [RtspPeer(file, 1_000_000) for _ in range(2)]
    yield peers
    for peer in peers:
        peer.close()


def survivor(run: Any) -> Any:
    """The run where it gets its first pictures; None where it ends before."""
    while run.process.poll() is None:
        if run.media_time > 0:
            return run
    return None


def listens(port: int) -> bool:
    return any(line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}") for line in tcp_sockets())


def tcp_sockets() -> list[str]:
    return Path("/proc/net/tcp").read_text().splitlines()[1:]


class TestWeb:
    def test_a_certificate_that_nobody_signed_is_refused_unless_it_is_not_to_be_verified(
        self, start: Any, https: str, eventually: Any
    ) -> None:
        wary = start(channel(f"{https}/live.ts"))
        trusting = start(channel({"url": f"{https}/live.ts", "tls_verify": False}, output="file://other.ts"))

        eventually(lambda: trusting.media_time > 0.3)
        eventually(lambda: wary.process.poll() is not None)
        assert wary.media_time == 0

    def test_a_server_that_closes_is_called_again(self, start: Any, multiplex: Path, eventually: Any) -> None:
        with moody_server(multiplex) as (url, calls):
            run = start(channel(url))

            eventually(lambda: len(calls) >= 3 and run.media_time > 1)
            assert run.process.poll() is None


@pytest.fixture
def https(tmp_path: Path, multiplex: Path) -> Iterator[str]:
    """Serves the multiplex over HTTPS, with a certificate of its own making."""
    web, key, certificate = tmp_path / "web", tmp_path / "key.pem", tmp_path / "certificate.pem"
    web.mkdir()
    (web / "live.ts").write_bytes(multiplex.read_bytes() * 20)
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names)
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(web)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except (ssl.SSLError, ConnectionError):
            self.close_connection = True


@contextmanager
def moody_server(file: Path) -> Iterator[tuple[str, list[str]]]:
    """An HTTP server that closes a live transport stream after each second of it; gives its address and its calls."""
    data, second = file.read_bytes(), MPTS_BPS // 8
    calls: list[str] = []

    class Handler(Quiet):
        def do_GET(self) -> None:
            at = len(calls) * second % (len(data) // 2)
            calls.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            self.wfile.write(data[at - at % 188 :][:second])

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/live", calls
    server.shutdown()
    thread.join()
    server.server_close()


def make_clip(binary: Binary, file: Path, size: str, channels: int, *options: str) -> None:
    """A second of picture and sound, if the options do not say otherwise."""
    file.parent.mkdir(parents=True, exist_ok=True)
    source = ("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25", "-f", "lavfi", "-i", "sine=r=48000")
    encode = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac", "-ac", str(channels), "-t", "1")
    argv = [str(binary.path), "-loglevel", "error", "-y", *source, *encode, *options, f"file:{file}"]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


def packet_times(ffprobe: Probe, path: Path, kind: str) -> list[float]:
    packets = ffprobe(path, "-select_streams", kind, "-show_entries", "packet=pts_time")["packets"]
    return [float(packet["pts_time"]) for packet in packets]


class TestFiles:
    @pytest.mark.long
    def test_a_playlist_loops_without_a_break_although_size_and_sound_change(
        self, start: Any, host: HostFacts, binary: Binary, ffprobe: Probe, eventually: Any
    ) -> None:
        root = host.media_roots[0]
        for name, size, channels in (("first", "160x90", 2), ("it's [2]", "320x180", 1), ("third", "160x90", 2)):
            make_clip(binary, root / f"{name}.ts", size, channels, "-t", "0.6")
        playlist = ["file://it%27s%20%5B2%5D.ts", "file://third.ts"]

        run = start(channel({"url": "file://first.ts", "playlist": playlist}))
        eventually(lambda: run.media_time > 3)
        run.stop()

        for kind, longest in (("v", 0.2), ("a", 0.045)):
            times = packet_times(ffprobe, root / "out.ts", kind)
            gaps = [later - earlier for earlier, later in pairwise(times)]
            assert min(gaps) > 0, kind
            assert max(gaps) < longest, kind
        assert run.complaints == []

    def test_a_list_in_a_media_file_does_not_lead_out_of_the_roots(
        self, start: Any, host: HostFacts, multiplex: Path
    ) -> None:
        host.media_roots[0].mkdir()
        (host.media_roots[0] / "clip.ts").write_text(f"ffconcat version 1.0\nfile '{multiplex}'\n")

        run = start(channel("file://clip.ts"))
        run.process.wait(30)

        assert run.media_time == 0


class TestSelection:
    def test_program_picture_and_sounds_are_chosen_in_their_order(
        self, start: Any, host: HostFacts, multiplex: Path, ffprobe: Probe, eventually: Any
    ) -> None:
        url = copied_file(host, multiplex)
        chosen: list[dict[str, Any]] = [
            {"program": 102},
            {"program": "101", "audio": "fra, #1"},
            {"video": "0x201", "audio": ["0x104=deu", "0x103"]},
        ]

        runs = [start(channel({"url": url, **one}, output=f"file://{n}.ts")) for n, one in enumerate(chosen)]
        eventually(lambda: all(run.media_time > 0.5 for run in runs))
        for run in runs:
            run.stop()

        pids = [pids_by_graph(run.log) for run in runs]
        assert pids == [["0x201", "0x202"], ["0x101", "0x103", "0x102"], ["0x201", "0x104", "0x103"]]
        told = []
        for number in range(3):
            found = ffprobe(host.media_roots[0] / f"{number}.ts", "-show_streams")["streams"]
            told.append([stream.get("tags", {}).get("language") for stream in found])
        assert told == [[None, None], [None, "fra", None], [None, "deu", None]]

    @pytest.mark.long
    def test_subtitles_teletext_and_data_are_handed_on_where_there_are_any(
        self, start: Any, host: HostFacts, multiplex: Path, ffprobe: Probe, eventually: Any
    ) -> None:
        url = copied_file(host, multiplex)
        chosen: list[dict[str, Any]] = [
            {"program": 101, "subtitles": "all", "data": "all"},
            {"subtitles": f"0x1e9, {TELETEXT}", "data": hex(DATA)},
            {"subtitles": hex(SUBTITLES), "data": hex(SCTE35)},
            {"program": 102, "subtitles": "all", "data": "all"},
        ]

        runs = [start(channel({"url": url, **one}, output=f"file://{n}.ts")) for n, one in enumerate(chosen)]
        eventually(lambda: all(run.media_time > 0.8 for run in runs))
        for run in runs:
            run.stop()

        found = [
            ffprobe(host.media_roots[0] / f"{number}.ts", "-show_streams", "-count_packets")["streams"]
            for number in range(4)
        ]
        # SCTE-35 passes as plain data, with which no splicer can do anything.
        copied = [[stream["codec_name"] for stream in streams[2:]] for streams in found]
        assert copied == [
            ["dvb_teletext", "dvb_subtitle", "bin_data", "bin_data"],
            ["dvb_teletext", "bin_data"],
            ["dvb_subtitle", "bin_data"],
            [],
        ]
        assert all(int(stream["nb_read_packets"]) > 0 for streams in found for stream in streams)
        assert [stream["tags"]["language"] for stream in found[0][2:4]] == ["fin", "swe"]


def pids_by_graph(log: str) -> list[str]:
    """The PID that each filter graph reads."""
    pids = dict(re.findall(r"Stream #0:(\d+)\[(0x\w+)\]", log))
    graphs = re.findall(r"Stream #0:(\d+) \(\w+\) -> \w+:default \(graph (\d)\)", log)
    return [pids[number] for number, _ in sorted(graphs, key=lambda read: int(read[1]))]


class TestNames:
    async def test_a_service_is_found_by_its_name_and_languages_by_their_pids(
        self, binary: Binary, host: HostFacts, multiplex: Path
    ) -> None:
        url = copied_file(host, multiplex)
        spec = channel({"url": url, "program": "sport", "audio": "fra, eng", "subtitles": "swe, nor"}, codec="copy")

        source = (await resolved(spec, 0, binary, host)).spec.sources[0]

        assert (source.program, source.audio) == ("101", "0x103=fra, 0x102=eng")
        assert source.subtitles == "0x1e1=swe"

    async def test_what_is_not_there_is_told_with_what_is(
        self, binary: Binary, host: HostFacts, multiplex: Path, helper: Any, free_port: Any
    ) -> None:
        port = free_port()
        services = ("-program", "program_num=101:title=SPORT:st=0", "-program", "program_num=102:title=NEWS:st=1")
        feed = ("-re", "-stream_loop", "-1", "-i", f"file:{multiplex}", "-map", "0:i:0x101", "-map", "0:i:0x201")
        helper(*feed, "-c", "copy", *services, "-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316")
        spec = channel({"url": f"udp://127.0.0.1:{port}", "program": "WEATHER"})

        with pytest.raises(SourceFault) as refusal:
            await resolved(spec, 0, binary, host)

        fault = refusal.value.faults[0]
        assert fault.field == "sources[0].program"
        assert fault.fault == f"no program 'WEATHER' in udp://127.0.0.1:{port}"
        assert fault.remedy == "there are: 101 SPORT, 102 NEWS"

    async def test_a_source_that_cannot_be_looked_into_is_to_blame(self, binary: Binary, host: HostFacts) -> None:
        spec = channel({"url": "file://absent.ts", "program": "WEATHER"})

        with pytest.raises(SourceFault) as refusal:
            await resolved(spec, 0, binary, host)

        assert [(fault.field, "does not exist" in fault.fault) for fault in refusal.value.faults] == [
            ("sources[0]", True)
        ]


class TestLightProbe:
    @pytest.mark.long
    async def test_sees_each_kind_of_source(
        self, binary: Binary, host: HostFacts, multiplex: Path, sender: Any, free_port: Any
    ) -> None:
        clip, rtp = copied_file(host, multiplex), f"rtp://127.0.0.1:{free_port() & ~1}"
        sources: list[dict[str, Any]] = [
            {"url": rtp},
            {"url": clip, "playlist": [clip]},
            {"url": clip, "program": "NEWS"},
        ]
        sender(f"{rtp}?pkt_size=1316", "rtp_mpegts", sound="aac")

        for source in sources:
            said = await run_errand(build_probe(channel(source).sources[0], "sources[0]", binary, host), 30)

            assert is_there(said.output), said.log
