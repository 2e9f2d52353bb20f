"""The commands that we build, run by real FFmpegs, and what comes out of them read by others."""

import http.server
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import m3u8
import pytest
from ts_analyser import analyse

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.ffmpeg.outputs import hls_trees
from transcoder_tui.models.channel import ChannelSpec

Probe = Callable[..., Any]
SMALL = "test://bars?size=160x90&fps=25"
RUNGS = (("hi", "320x180", "300k"), ("mid", "240x136", "200k"), ("lo", "160x90", "100k"))


def rung(name: str = "only", size: str = "160x90", bitrate: str = "150k", **audio: Any) -> dict[str, Any]:
    video = {"size": size, "bitrate": bitrate, "preset": "ultrafast", "gop": "1s"}
    return {"name": name, "video": video, "audio": {"bitrate": "64k", **audio}}


def channel(
    *outputs: dict[str, Any], source: str = SMALL, interface: str | None = None, renditions: Any = None
) -> ChannelSpec:
    return ChannelSpec.model_validate(
        {
            "name": "News: 'HD' [1]|2",
            "sources": [{"url": source, "interface": interface}],
            "renditions": renditions or [rung()],
            "outputs": outputs,
        }
    )


def end_playlists(spec: ChannelSpec, host: HostFacts) -> None:
    """What the worker does after a stop."""
    for playlist in hls_trees(spec, host)[0].playlists:
        with playlist.open("a") as file:
            file.write("#EXT-X-ENDLIST\n")


def segments(playlist: Path) -> list[m3u8.Segment]:
    return list(m3u8.load(str(playlist)).segments) if playlist.exists() else []


def streams(probe: Probe, path: Path) -> list[tuple[str, int | None]]:
    """Codec and picture width of each stream."""
    return [(stream["codec_name"], stream.get("width")) for stream in probe(path, "-show_streams")["streams"]]


def keyframe_times(probe: Probe, path: Path) -> list[float]:
    arguments = ("-select_streams", "v", "-show_entries", "packet=pts_time,flags")
    packets = probe(path, *arguments)["packets"]
    return [float(packet["pts_time"]) for packet in packets if "K" in packet["flags"]]


def test_udp_is_a_faultless_transport_stream_of_constant_rate(
    start: Any, receive: Any, ffprobe: Probe, eventually: Any, tmp_path: Path
) -> None:
    receiver, port = receive()
    run = start(channel({"url": f"udp://127.0.0.1:{port}", "interface": "lo", "muxrate": "500k"}))

    eventually(lambda: len(receiver.datagrams) > 100)
    captured = receiver.data
    assert run.stop() == 255

    assert {len(datagram) for datagram in receiver.datagrams[:100]} == {1316}
    found = analyse(captured)
    assert found.continuity_errors == 0
    assert found.null_packets > 0
    assert all(abs(rate - 500_000) < 50 for rate in found.rates)
    assert found.longest_pcr_gap <= 0.040
    assert run.complaints == []
    (tmp_path / "a.ts").write_bytes(captured)
    assert streams(ffprobe, tmp_path / "a.ts") == [("h264", 160), ("aac", None)]
    tags = ffprobe(tmp_path / "a.ts", "-show_programs")["programs"][0]["tags"]
    assert tags == {"service_name": "News: 'HD' [1]|2", "service_provider": "transcoder-tui"}


def test_a_multicast_on_a_named_interface_is_transcoded_on(
    start: Any, receive: Any, free_port: Any, eventually: Any
) -> None:
    group, port = "239.255.77.1", free_port()
    receiver, second_port = receive("239.255.77.2")
    start(channel({"url": f"udp://{group}:{port}", "interface": "lo"}))
    start(
        channel(
            {"url": f"udp://239.255.77.2:{second_port}", "interface": "127.0.0.1"},
            source=f"udp://{group}:{port}",
            interface="lo",
        )
    )

    eventually(lambda: len(receiver.datagrams) > 40)

    assert analyse(receiver.data).continuity_errors == 0


def test_an_hls_ladder_is_aligned_and_goes_on_where_it_ended(
    start: Any, host: HostFacts, ffprobe: Probe, eventually: Any
) -> None:
    spec = channel(
        {"url": "hls://news/hd", "segment": "1s", "window": 3}, renditions=[rung(*values) for values in RUNGS]
    )
    (tree,) = hls_trees(spec, host)

    run = start(spec)
    eventually(lambda: all(len(segments(playlist)) >= 2 for playlist in tree.playlists))
    run.stop()

    master = m3u8.load(str(tree.master))
    assert [variant.uri for variant in master.playlists] == [f"{name}/index.m3u8" for name, _, _ in RUNGS]
    assert [variant.stream_info.resolution for variant in master.playlists] == [(320, 180), (240, 136), (160, 90)]
    assert [media.uri for media in master.media] == ["audio1/index.m3u8"]
    assert all(variant.stream_info.codecs.endswith("mp4a.40.2") for variant in master.playlists)
    playlist = m3u8.load(str(tree.playlists[0]))
    assert playlist.target_duration == 1
    assert playlist.is_independent_segments
    assert not playlist.is_endlist
    assert playlist.segments[0].program_date_time is not None
    rungs = tree.playlists[: len(RUNGS)]
    whole = [segment.uri for segment in playlist.segments][:-1]
    for name in whole:
        times = [keyframe_times(ffprobe, rung_playlist.parent / name) for rung_playlist in rungs]
        assert times[0] == times[1] == times[2]
    assert streams(ffprobe, rungs[2].parent / whole[0]) == [("h264", 160)]
    assert streams(ffprobe, tree.playlists[-1].parent / whole[0]) == [("aac", None)]
    assert [line for line in run.complaints if "Failed" in line] == []

    end_playlists(spec, host)
    ended = m3u8.load(str(tree.playlists[0]))
    last = ended.media_sequence + len(ended.segments) - 1
    again = start(spec)
    eventually(lambda: m3u8.load(str(tree.playlists[0])).segments[-1].uri > f"s_{last + 1:08d}.ts")
    again.stop()

    continued = m3u8.load(str(tree.playlists[0]))
    assert not continued.is_endlist
    names = [f"s_{continued.media_sequence + index:08d}.ts" for index in range(len(continued.segments))]
    assert [segment.uri for segment in continued.segments] == names


def test_a_single_rendition_has_a_master_playlist_and_sound_in_its_segments(
    start: Any, host: HostFacts, ffprobe: Probe, eventually: Any
) -> None:
    spec = channel({"url": "hls://one", "segment": "1s"})
    (tree,) = hls_trees(spec, host)

    start(spec)
    eventually(lambda: len(segments(tree.playlists[0])) >= 1)

    (variant,) = m3u8.load(str(tree.master)).playlists
    assert variant.uri == "only/index.m3u8"
    first = tree.playlists[0].parent / segments(tree.playlists[0])[0].uri
    assert streams(ffprobe, first) == [("h264", 160), ("aac", None)]


def test_several_outputs_share_each_encoded_stream(
    start: Any, host: HostFacts, receive: Any, ffprobe: Probe, eventually: Any, tmp_path: Path
) -> None:
    receiver, port = receive()
    spec = channel(
        {"url": f"udp://127.0.0.1:{port}", "interface": "lo", "rendition": "mid"},
        {"url": "hls://all", "segment": "1s"},
        {"url": "file://rec/it=a:[b],c.mkv", "rendition": "lo"},
        {"url": "file://rec/hi.ts", "rendition": "hi"},
        renditions=[rung(*values) for values in RUNGS],
    )
    (tree,) = hls_trees(spec, host)

    run = start(spec)
    eventually(lambda: all(len(segments(playlist)) >= 2 for playlist in tree.playlists))
    run.stop()

    assert run.log.count("profile Constrained Baseline") == 3
    assert len(m3u8.load(str(tree.master)).playlists) == 3
    (tmp_path / "a.ts").write_bytes(receiver.data)
    assert analyse(receiver.data).continuity_errors == 0
    assert streams(ffprobe, tmp_path / "a.ts") == [("h264", 240), ("aac", None)]
    recorded = host.media_roots[0] / "rec"
    assert streams(ffprobe, recorded / "it=a:[b],c.mkv") == [("h264", 160), ("aac", None)]
    assert streams(ffprobe, recorded / "hi.ts") == [("h264", 320), ("aac", None)]


def test_the_master_playlist_names_the_codecs_beside_a_transport_stream_too(
    start: Any, host: HostFacts, receive: Any, ffprobe: Probe, eventually: Any, tmp_path: Path
) -> None:
    receiver, port = receive()
    outputs: list[dict[str, object]] = [{"url": f"udp://127.0.0.1:{port}"}, {"url": "hls://all", "segment": "1s"}]
    spec = channel(*outputs)
    (tree,) = hls_trees(spec, host)

    run = start(spec)
    eventually(lambda: len(segments(tree.playlists[0])) >= 3)
    run.stop()

    (variant,) = m3u8.load(str(tree.master)).playlists
    assert variant.stream_info.codecs.startswith("avc1.")
    assert variant.stream_info.codecs.endswith(",mp4a.40.2")
    later = tree.playlists[0].parent / segments(tree.playlists[0])[-1].uri
    assert streams(ffprobe, later) == [("h264", 160), ("aac", None)], "a viewer may join at any segment"
    (tmp_path / "a.ts").write_bytes(receiver.data)
    assert streams(ffprobe, tmp_path / "a.ts") == [("h264", 160), ("aac", None)]


@pytest.mark.parametrize("host", ["it's a:[b],c|d \\e"], indirect=True)
def test_paths_may_hold_any_character(start: Any, host: HostFacts, eventually: Any) -> None:
    spec = channel({"url": "hls://x", "segment": "1s"}, {"url": "file://a.ts"})
    (tree,) = hls_trees(spec, host)

    start(spec)

    eventually(lambda: len(segments(tree.playlists[0])) >= 1)
    assert (host.media_roots[0] / "a.ts").stat().st_size > 0


def test_a_file_is_looped(start: Any, host: HostFacts, binary: Binary, eventually: Any) -> None:
    clip = host.media_roots[0] / "clip.ts"
    clip.parent.mkdir(parents=True)
    make = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi", "-i", "sine=r=48000", "-t", "1"]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", f"file:{clip}"]
    subprocess.run([str(binary.path), "-loglevel", "error", *make, *encode], check=True, stdin=subprocess.DEVNULL)

    run = start(channel({"url": "file://out.ts"}, source="file://clip.ts"))

    eventually(lambda: run.media_time > 1.6)
    assert run.process.poll() is None


def test_dead_sources_end_ffmpeg_and_are_named_without_their_secrets(start: Any, free_port: Any) -> None:
    udp, srt = free_port(), free_port()
    silent = start(channel({"url": "file://a.ts"}, source=f"udp://239.255.77.9:{udp}", interface="lo"))
    query = "passphrase=correct-horse&streamid=a%20b&latency=80"
    absent = start(channel({"url": "file://b.ts"}, source=f"srt://127.0.0.1:{srt}?{query}"))

    assert absent.verdict().cause.startswith(f"no SRT connection to 127.0.0.1:{srt}")
    assert "correct-horse" not in absent.log
    found = silent.verdict()
    assert found.cause == f"no packets from udp://239.255.77.9:{udp} for 5 s"
    assert found.heals


def test_an_rtmp_server_receives_picture_and_sound(
    start: Any, helper: Any, free_port: Any, ffprobe: Probe, eventually: Any, tmp_path: Path
) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/key"
    received = tmp_path / "received.flv"
    server = helper("-listen", "1", "-i", url, "-c", "copy", "-t", "1", str(received))
    run = eventually(lambda: _connected(start, channel({"url": url})))

    server.wait(30)
    found = run.verdict()

    assert streams(ffprobe, received) == [("h264", 160), ("aac", None)]
    assert found.cause == f"the remote end of {url.removesuffix('/key')} closed the connection"
    assert "live/key" not in run.command.shell()


def _connected(start: Any, spec: ChannelSpec) -> Any:
    """A run that outlived the opening of its outputs; None where the server did not listen yet."""
    run = start(spec)
    while run.process.poll() is None:
        if run.media_time > 0:
            return run
    return None


def test_an_absent_rtmp_server_ends_its_channel_and_is_named(start: Any, free_port: Any) -> None:
    port = free_port()

    found = start(channel({"url": f"rtmp://127.0.0.1:{port}/live/key"})).verdict()

    assert found.cause == f"the server at 127.0.0.1:{port} refused the connection"


def test_an_rtmp_server_that_comes_late_is_served_while_the_other_outputs_run(
    start: Any, helper: Any, free_port: Any, ffprobe: Probe, eventually: Any, tmp_path: Path
) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/key"
    run = start(channel({"url": url}, {"url": "file://a.ts"}))
    eventually(lambda: "[fifo @" in run.log and run.media_time > 0)

    received = tmp_path / "received.flv"
    server = helper("-listen", "1", "-i", url, "-c", "copy", "-t", "1", str(received))
    server.wait(30)

    assert streams(ffprobe, received) == [("h264", 160), ("aac", None)]
    before = run.media_time
    eventually(lambda: run.media_time > before)


def test_an_output_that_cannot_be_opened_leaves_the_others_on_air(start: Any, host: HostFacts, eventually: Any) -> None:
    spec = channel({"url": "hls://x", "segment": "1s"}, {"url": "file://a.ts"})
    (tree,) = hls_trees(spec, host)
    (host.media_roots[0] / "a.ts").mkdir(parents=True)

    run = start(spec)

    eventually(lambda: segments(tree.playlists[0]))
    assert any("a.ts" in line for line in run.complaints)
    assert run.process.poll() is None


def test_recordings_play_after_their_writer_was_killed(
    start: Any, host: HostFacts, ffprobe: Probe, eventually: Any
) -> None:
    names = ["a.ts", "a.mp4", "a.mkv"]
    run = start(channel(*({"url": f"file://{name}"} for name in names)))
    # The picture of a second, in fragments of a GOP each.
    eventually(lambda: run.media_time > 2.2)

    run.kill()

    for name in names:
        found = ffprobe(host.media_roots[0] / name, "-select_streams", "v", "-count_packets", "-show_streams")
        assert int(found["streams"][0]["nb_read_packets"]) >= 25, name


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """Serves a directory; gives its address. Its files are below ``tmp_path / "web"``."""
    (tmp_path / "web").mkdir()
    handler = partial(Quiet, directory=str(tmp_path / "web"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_hls_over_http_is_read(start: Any, host: HostFacts, web: str, eventually: Any, tmp_path: Path) -> None:
    host.hls_root.symlink_to(tmp_path / "web")
    origin = channel({"url": "hls://live", "segment": "1s"})
    start(origin)
    eventually(lambda: segments(hls_trees(origin, host)[0].playlists[0]))

    run = start(channel({"url": "file://a.ts"}, source=f"{web}/live/master.m3u8"))

    eventually(lambda: run.media_time > 0.5)


def test_a_playlist_cannot_lead_to_local_files(start: Any, host: HostFacts, web: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.ts"
    secret.write_bytes(b"\x47" + bytes(187))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    (tmp_path / "web" / "x.m3u8").write_text(playlist)

    run = start(channel({"url": "file://a.ts"}, source=f"{web}/x.m3u8"))
    run.process.wait(30)

    assert "not on whitelist" in run.log
    assert not run.progress or run.media_time == 0


@pytest.mark.parametrize(
    "source", ["https://127.0.0.1:{}/a.ts", "rtmps://127.0.0.1:{}/live/key", "http://127.0.0.1:{}/a.ts"]
)
def test_every_option_of_a_source_is_known_and_an_absent_server_is_named(
    start: Any, free_port: Any, source: str
) -> None:
    port = free_port()

    found = start(channel({"url": "file://a.ts"}, source=source.format(port))).verdict()

    assert found.cause == f"the server at 127.0.0.1:{port} refused the connection"


def test_srt_is_received(start: Any, helper: Any, free_port: Any, eventually: Any) -> None:
    port = free_port()
    source = ["-re", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-re", "-f", "lavfi", "-i", "sine=r=48000"]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac", "-f", "mpegts"]
    run = start(
        channel({"url": "file://a.ts"}, source=f"srt://127.0.0.1:{port}?mode=listener&passphrase=correct-horse")
    )
    helper(*source, *encode, f"srt://127.0.0.1:{port}?mode=caller&passphrase=correct-horse")

    eventually(lambda: run.media_time > 0.5)
