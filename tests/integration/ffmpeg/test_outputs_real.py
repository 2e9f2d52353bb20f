"""Every kind of output as real FFmpegs write it, read by real receivers."""

import calendar
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import m3u8
import pytest
from companion_pids import with_companions
from real_ffmpeg import put_on_air
from ts_analyser import PACKET, analyse

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts, mask
from transcoder_tui.ffmpeg.ladders import HlsTree
from transcoder_tui.ffmpeg.outputs import hls_trees, recordings
from transcoder_tui.ffmpeg.recording import Recording
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.output import PMT_PID
from transcoder_tui.worker import keys, outputs
from transcoder_tui.worker.masters import Masters

Probe = Callable[..., Any]


def rung(name: str = "only", size: str = "160x90", bitrate: str = "150k", **video: Any) -> dict[str, Any]:
    picture = {"size": size, "bitrate": bitrate, "preset": "ultrafast", "gop": "1s", **video}
    return {"name": name, "video": picture, "audio": {"bitrate": "64k", "channels": 1}}


def channel(*outputs: dict[str, Any], sources: Any = None, renditions: Any = None) -> ChannelSpec:
    return ChannelSpec.model_validate(
        {
            "name": "News HD",
            "sources": sources or [{"url": "test://bars?size=160x90&fps=25"}],
            "renditions": renditions or [rung()],
            "outputs": outputs,
        }
    )


def make_bilingual(binary: Binary, host: HostFacts) -> list[dict[str, Any]]:
    """A source with an English and a French sound, teletext, subtitles and two data PIDs."""
    clip = host.media_roots[0] / "clip.ts"
    clip.parent.mkdir(parents=True)
    lavfi = ["-f", "lavfi", "-i"]
    made = [*lavfi, "testsrc2=s=160x90:r=25", *lavfi, "sine=500:r=48000", *lavfi, "sine=800:r=48000"]
    named = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"]
    encoded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac", "-b:a", "64k"]
    maps = ["-map", "0", "-map", "1", "-map", "2"]
    written = ["-t", "4", "-muxrate", "1M", f"file:{clip}"]
    argv = [str(binary.path), "-loglevel", "error", *made, *maps, *named, *encoded, *written]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    clip.write_bytes(with_companions(clip.read_bytes(), PMT_PID))
    return [{"url": "file://clip.ts", "audio": "eng, fra"}]


def make_hard(binary: Binary, host: HostFacts) -> None:
    """A source that is black, and then noise."""
    clip = host.media_roots[0] / "hard.ts"
    clip.parent.mkdir(parents=True)
    picture = "color=black:s=320x180:r=25,noise=alls=100:allf=t:enable='gte(t,3)'"
    made = ["-f", "lavfi", "-i", picture, "-t", "12", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25"]
    argv = [str(binary.path), "-loglevel", "error", *made, f"file:{clip}"]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


def pids(probe: Probe, path: Path) -> list[int]:
    return [int(stream["id"], 16) for stream in probe(path, "-show_streams")["streams"]]


def payload(data: bytes, pid: int, table: int) -> bytes:
    """The first section of a table that fits into one packet."""
    for start in range(0, len(data), PACKET):
        packet = data[start : start + PACKET]
        if int.from_bytes(packet[1:3], "big") & 0x1FFF == pid and packet[1] & 0x40 and packet[5] == table:
            return packet[5:]
    raise AssertionError(f"no table {table:#x} on PID {pid:#x}")


def segments(playlist: Path) -> list[m3u8.Segment]:
    return list(m3u8.load(str(playlist)).segments) if playlist.exists() else []


SERVICE = {
    "service_id": 101,
    "transport_stream_id": 7,
    "network_id": 34,
    "pmt_pid": "0x200",
    "service_name": "Nachrichten",
    "service_provider": "Sender",
    "muxrate": "1200k",
}


class TestTransportStreams:
    @pytest.mark.long
    def test_over_udp_rtp_and_srt_present_the_same_service_at_a_constant_rate(
        self,
        start: Any,
        receive: Any,
        helper: Any,
        free_port: Any,
        binary: Binary,
        host: HostFacts,
        ffprobe: Probe,
        eventually: Any,
        tmp_path: Path,
    ) -> None:
        datagrams, port = receive()
        packets, rtp_port = receive()
        srt_port, taken = free_port(), tmp_path / "srt.ts"
        secret = "a secret/&: 100%"
        helper(
            *("-passphrase", secret, "-f", "data", "-i", f"srt://127.0.0.1:{srt_port}?mode=listener"),
            *("-map", "0", "-c", "copy", "-f", "data", "-flush_packets", "1", str(taken)),
        )
        apart = {**SERVICE, "video_pid": 600}
        (source,) = make_bilingual(binary, host)
        run = start(
            channel(
                {"url": f"udp://127.0.0.1:{port}", "ttl": 3, "audio_pid": 700, **apart},
                {"url": f"rtp://127.0.0.1:{rtp_port}", "interface": "lo", "audio_pid": 800, **apart},
                {"url": f"srt://127.0.0.1:{srt_port}?passphrase=a%20secret/%26:%20100%25", **apart},
                {"url": "hls://beside"},
                sources=[{**source, "subtitles": "all", "data": "all"}],
            )
        )

        eventually(lambda: min(len(datagrams.datagrams), len(packets.datagrams)) > 100)
        eventually(lambda: taken.exists() and taken.stat().st_size > 100_000)
        run.stop()

        assert "secret" not in mask(run.log, run.command.secrets), "FFmpeg logs the options of each output"
        assert {datagram[1] & 0x7F for datagram in packets.datagrams} == {33}, "MP2T, RFC 3551"
        numbers = [int.from_bytes(datagram[2:4], "big") for datagram in packets.datagrams]
        assert all((after - before) % 65536 == 1 for before, after in pairwise(numbers))
        streams = {
            "udp": (datagrams.datagrams, [600, *range(700, 706)]),
            "rtp": ([packet[12:] for packet in packets.datagrams], [600, *range(800, 806)]),
        }
        for kind, (received, expected) in streams.items():
            assert {len(datagram) for datagram in received[:100]} == {1316}
            data = b"".join(received)
            found = analyse(data)
            assert found.continuity_errors == 0
            assert all(abs(rate - 1_200_000) < 120 for rate in found.rates)
            assert found.longest_pcr_gap <= 0.040
            path = tmp_path / f"{kind}.ts"
            path.write_bytes(data)
            assert pids(ffprobe, path) == expected, "picture, two sounds, teletext, subtitles, two of data"
            program = ffprobe(path, "-show_programs")["programs"][0]
            assert (program["program_id"], program["pmt_pid"]) == (101, 0x200)
            assert program["tags"] == {"service_name": "Nachrichten", "service_provider": "Sender"}
            description = payload(data, 0x11, 0x42)
            assert [int.from_bytes(description[at : at + 2], "big") for at in (3, 8)] == [7, 34]
        languages = ffprobe(tmp_path / "udp.ts", "-show_streams", "-select_streams", "a")["streams"]
        assert [stream["tags"]["language"] for stream in languages] == ["eng", "fra"]
        assert pids(ffprobe, taken) == [600, *range(601, 607)]
        assert analyse(taken.read_bytes()[: taken.stat().st_size // PACKET * PACKET]).continuity_errors == 0

    def test_over_rtmps_goes_only_to_a_server_with_a_valid_certificate(
        self, start: Any, impostor: int, eventually: Any
    ) -> None:
        run = start(channel({"url": f"rtmps://127.0.0.1:{impostor}/live/key"}))

        assert "certificate" in run.verdict().cause


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[int]:
    """A TLS server with a certificate of its own making; gives its port."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    peer, _ = server.accept()
                    with suppress(OSError), context.wrap_socket(peer, server_side=True) as connection:
                        connection.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


RUNGS = [rung("hi", "320x180", "300k"), rung("lo", "160x90", "100k")]
FILES: dict[str, dict[str, Any]] = {
    "ts": {"url": "hls://ts", "segment": "1s"},
    "fmp4": {"url": "hls://fmp4", "segment": "1s", "format": "fmp4"},
    "secret": {"url": "hls://secret", "segment": "1s", "encryption": "aes-128", "key_rotation": "1h"},
    "vod": {"url": "hls://vod", "segment": "1s", "playlist": "vod"},
    "dash": {"url": "dash://plain", "segment": "1s", "window": 3},
    "low": {"url": "dash://low", "segment": "1s", "window": 3, "low_latency": True},
    ".ts": {"url": "file://rec/a.ts", "split": "10s", "rendition": "lo"},
    ".mp4": {"url": "file://rec/a.mp4", "split": "10s", "rendition": "lo"},
    ".mkv": {"url": "file://rec/a.mkv", "split": "10s", "rendition": "lo"},
}


@dataclass
class Written:
    """What one FFmpeg wrote to files, of every kind at once."""

    binary: Binary
    trees: dict[str, HlsTree]
    series: dict[str, Recording]
    manifests: dict[str, ET.Element]
    """Of each DASH output, while it was on air."""
    vod: m3u8.M3U8
    """While it was on air."""

    def files(self, ending: str) -> list[Path]:
        series = self.series[ending]
        return sorted(path for path in series.path.parent.iterdir() if series.owns(path.name))

    def plays(self, playlist: Path) -> None:
        """Fails unless FFmpeg reads a playlist to its end without a word."""
        argv = [str(self.binary.path), "-v", "error", "-allowed_extensions", "ALL", "-protocol_whitelist"]
        argv += ["file,crypto", "-i", str(playlist), "-c:a", "pcm_s16le", "-f", "null", "-"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(scope="module")
def written(binary: Binary, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Runs all of them until there is enough to look at, changes the key meanwhile, and finishes them."""
    base = tmp_path_factory.mktemp("written")
    host = HostFacts({"lo": ["127.0.0.1"]}, [base / "media"], base / "hls")
    spec = channel(*FILES.values(), sources=make_bilingual(binary, host), renditions=RUNGS)
    for output in spec.outputs:
        if output.split is not None:
            output.split = 4.0  # Shorter than an operator may choose, and than a test may last.
    outputs.prepare(spec, host)
    trees = dict(zip(FILES, hls_trees(spec, host), strict=False))
    series = dict(zip(list(FILES)[len(trees) :], recordings(spec, host), strict=True))
    found = Written(binary, trees, series, {}, m3u8.M3U8())
    masters, secret = Masters(), trees["secret"]

    def enough() -> bool:
        lists = [playlist for tree in trees.values() for playlist in tree.playlists]
        return all(len(segments(one)) >= 3 for one in lists) and all(len(found.files(one)) >= 3 for one in series)

    def used() -> set[str]:
        return {segment.key.uri for segment in segments(secret.playlists[0])}

    run = put_on_air(spec, binary, host, base, "run")
    try:
        until(enough)
        now = time.time()
        keys.tend(secret, now + 1)
        assert len(list(secret.directory.glob("*Z-*.key"))) == 1, "it is not time yet"
        keys.tend(secret, now + 3601)
        until(lambda: len(used()) == 2)
        keys.tend(secret, now + keys.GRACE_S)
        for name, tree in trees.items():
            masters.correct(tree)
            if "dash://" in FILES[name]["url"]:
                found.manifests[name] = ET.fromstring((tree.directory / "manifest.mpd").read_text())
        found.vod = m3u8.load(str(trees["vod"].playlists[0]))
    finally:
        run.stop()
    outputs.finalise(spec, host)
    return found


def until(check: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not check():
        assert time.monotonic() < deadline, "did not come true within a minute"
        time.sleep(0.05)


class TestLadders:
    @pytest.mark.long
    @pytest.mark.parametrize("form", ["ts", "fmp4"])
    def test_have_a_master_playlist_that_tells_languages_and_what_segments_really_take(
        self, written: Written, form: str
    ) -> None:
        tree = written.trees[form]

        master = m3u8.load(str(tree.master))

        assert master.is_independent_segments
        assert [(media.language, media.name, media.default, media.channels) for media in master.media] == [
            ("eng", "eng", "YES", "1"),
            ("fra", "fra", "NO", "1"),
        ]
        sounds = max(_peak(tree.directory / media.uri) for media in master.media)
        for variant, size, nominal in zip(master.playlists, [(320, 180), (160, 90)], [300_000, 100_000], strict=True):
            info = variant.stream_info
            peak = _peak(tree.directory / variant.uri) + sounds
            burst = nominal  # A VBV buffer of a second in a segment of a second.
            assert peak <= info.bandwidth <= (nominal + burst + 64_000) * 1.08 + 101_000
            assert 0 < info.average_bandwidth <= info.bandwidth
            assert (info.resolution, info.frame_rate) == (size, 25.0)
            assert re.fullmatch(r"avc1\.[0-9a-f]{6},mp4a\.40\.2", info.codecs)
        for playlist in tree.playlists:
            written.plays(playlist)

    @pytest.mark.long
    @pytest.mark.parametrize("form", ["ts", "fmp4"])
    def test_know_from_the_first_segment_on_what_the_hardest_one_will_take(
        self, start: Any, binary: Binary, host: HostFacts, eventually: Any, form: str
    ) -> None:
        make_hard(binary, host)
        spec = channel(
            {"url": "hls://a", "segment": "1s", "format": form},
            sources=[{"url": "file://hard.ts"}],
            renditions=[{**rung("only", "320x180", "300k"), "audio": None}],
        )
        run = start(spec)
        (tree,) = hls_trees(spec, host)
        (playlist,) = tree.playlists
        eventually(lambda: tree.master.exists() and segments(playlist))
        Masters().correct(tree)
        (variant,) = m3u8.load(str(tree.master)).playlists
        calm = _peak(playlist)
        peak = eventually(lambda: next((now for now in [_peak(playlist)] if now > 1.2 * 300_000), None))

        run.stop()

        assert calm < 300_000 < peak <= variant.stream_info.bandwidth

    @pytest.mark.parametrize("form", ["ts", "fmp4"])
    def test_have_a_date_and_time_in_every_playlist(self, written: Written, form: str) -> None:
        for playlist in written.trees[form].playlists:
            assert all(segment.program_date_time for segment in segments(playlist))

    def test_are_encrypted_with_a_key_that_changes(self, written: Written) -> None:
        tree = written.trees["secret"]
        files = list(tree.directory.glob("*Z-*.key"))

        for playlist in tree.playlists:
            written.plays(playlist)
        used = {segment.key.uri for segment in segments(tree.playlists[0])}
        assert len(used) == 2
        assert {f"../{path.name}" for path in files} >= used
        assert {path.stat().st_mode & 0o777 for path in files} == {0o644}
        assert tree.key_info.stat().st_mode & 0o777 == 0o600
        segment = (tree.playlists[0].parent / segments(tree.playlists[0])[-1].uri).read_bytes()
        assert not all(segment[at] == 0x47 for at in range(0, 10 * PACKET, PACKET))

    def test_keep_everything_as_a_vod(self, written: Written) -> None:
        playlist = written.trees["vod"].playlists[0]

        ended = m3u8.load(str(playlist))

        assert written.vod.playlist_type == "event"
        assert (ended.playlist_type, ended.is_endlist, ended.media_sequence) == ("vod", True, 0)
        assert (playlist.parent / ended.segments[0].uri).exists()
        written.plays(playlist)

    @pytest.mark.parametrize("name", ["dash", "low"])
    def test_share_their_segments_between_dash_and_hls(self, written: Written, name: str) -> None:
        tree, manifest = written.trees[name], written.manifests[name]
        space = {"d": "urn:mpeg:dash:schema:mpd:2011"}

        sets = manifest.findall("d:Period/d:AdaptationSet", space)

        assert [(one.get("contentType"), len(one.findall("d:Representation", space))) for one in sets] == [
            ("video", 2),
            ("audio", 1),
            ("audio", 1),
        ]
        assert manifest.get("type") == "dynamic"
        assert (manifest.find(".//d:SegmentTimeline", space) is None) == (name == "low")
        master = m3u8.load(str(tree.master))
        assert [(media.language, media.name) for media in master.media] == [("eng", "eng"), ("fra", "fra")]
        assert [variant.stream_info.resolution for variant in master.playlists] == [(320, 180), (160, 90)]
        named = re.compile(r"chunk-\d{8}T\d{6}Z-stream0-\d{5}\.m4s")
        assert all(named.fullmatch(segment.uri) for segment in segments(tree.playlists[0]))
        written.plays(tree.playlists[0])


def _peak(playlist: Path) -> float:
    """Bits per second of the largest segment that is on disk."""
    whole = [segment for segment in segments(playlist) if segment.duration > 0.5]
    return max((playlist.parent / segment.uri).stat().st_size * 8 / segment.duration for segment in whole)


@pytest.mark.parametrize("ending", [".ts", ".mp4", ".mkv"])
def test_a_series_of_recordings_begins_at_round_times_and_each_file_plays(
    written: Written, ffprobe: Probe, ending: str
) -> None:
    files = written.files(ending)

    stamps = [time.strptime(path.stem.rpartition("-")[2], "%Y%m%dT%H%M%SZ") for path in files]
    assert all(stamp.tm_sec % 4 <= 2 for stamp in stamps[1:]), "the first keyframe from a round time on"
    assert abs(calendar.timegm(stamps[-1]) - files[-1].stat().st_mtime) < 30, "names are in UTC"
    for path in files[:-1]:
        found = ffprobe(path, "-show_streams", "-show_format")
        assert [stream["codec_name"] for stream in found["streams"]] == ["h264", "aac", "aac"]
    assert float(ffprobe(files[-2], "-show_format")["format"]["duration"]) == pytest.approx(4, abs=2.1), (
        "cut by the clock, however late this machine is"
    )


class TestIsolation:
    @pytest.fixture
    def others(self) -> Iterator[None]:
        yield None

    @pytest.mark.long
    def test_a_directory_that_cannot_be_written_leaves_the_others_on_air_and_comes_back(
        self, start: Any, host: HostFacts, receive: Any, eventually: Any
    ) -> None:
        receiver, port = receive()
        spec = channel(
            {"url": f"udp://127.0.0.1:{port}"},
            {"url": "hls://news", "segment": "1s"},
            {"url": "dash://also", "segment": "1s"},
            {"url": "file://rec/news.ts", "split": "1h"},
        )
        live, dash = hls_trees(spec, host)
        (series,) = recordings(spec, host)
        run = start(spec)
        eventually(lambda: segments(live.playlists[0]) and segments(dash.playlists[0]))
        eventually(lambda: list(series.path.parent.glob("*.ts")))
        places = [live.directory, dash.directory]
        for place in places:
            shutil.rmtree(place)
            place.write_text("in the way")
        before = len(receiver.datagrams)
        eventually(lambda: "Failed to open file" in run.log and len(receiver.datagrams) > before + 60)
        for place in places:
            place.unlink()
        outputs.tend(spec, host, Masters(), time.time())

        eventually(lambda: segments(live.playlists[0]) and segments(dash.playlists[0]))
        assert run.process.poll() is None
        assert analyse(receiver.data).continuity_errors == 0
        run.stop()

    @pytest.mark.long
    def test_dead_servers_and_peers_that_hang_or_come_and_go_leave_the_others_on_air(
        self, start: Any, helper: Any, receive: Any, binary: Binary, free_port: Any, eventually: Any, tmp_path: Path
    ) -> None:
        receiver, port = receive()
        listens, hangs, taken = free_port(), free_port(), tmp_path / "taken.ts"
        peer = helper("-i", f"srt://127.0.0.1:{hangs}?mode=listener", "-c", "copy", "-flush_packets", "1", str(taken))
        run = start(
            channel(
                {"url": f"udp://127.0.0.1:{port}"},
                {"url": f"rtmp://127.0.0.1:{free_port()}/live/key"},
                {"url": f"srt://127.0.0.1:{hangs}"},
                {"url": f"srt://127.0.0.1:{listens}?mode=listener"},
            )
        )
        eventually(lambda: taken.exists() and taken.stat().st_size > 1000)
        peer.send_signal(signal.SIGSTOP)
        for name in ("first.ts", "second.ts"):
            argv = [str(binary.path), "-v", "error", "-y", "-i", f"srt://127.0.0.1:{listens}", "-t", "0.2"]
            argv += ["-c", "copy", str(tmp_path / name)]
            eventually(lambda argv=argv: subprocess.run(argv, check=False, capture_output=True).returncode == 0)  # type: ignore[misc]
            assert (tmp_path / name).stat().st_size > 1000
        eventually(lambda: {"rtmp", "srt"} <= set(re.findall(r"\[fifo @ \S+ \[\w+\] .* opening (\w+):", run.log)))
        assert run.process.poll() is None
        assert analyse(receiver.data).continuity_errors == 0
        assert run.stop() == 255
