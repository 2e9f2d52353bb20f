"""What both FFmpegs, with an ffprobe and without one, find in real sources, and what they say of those that fail."""

import asyncio
import http.server
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hard_multiplex import PACKET, scrambled

from transcoder_tui.errors import SourceFault
from transcoder_tui.ffmpeg.binary import Binary, carried, inspect_binary
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.models.probe import Probe
from transcoder_tui.models.source import Source
from transcoder_tui.worker.inspector import Inspector
from transcoder_tui.worker.look import Look as Looking

Look = Callable[..., Probe]

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25")
SOUND = ("-f", "lavfi", "-i", "sine=r=48000")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25")
TWO_PROGRAMS = (
    *("-program", "program_num=101:title=NEWS:st=0:st=1"),
    *("-program", "program_num=202:title=SPORT:st=2:st=3"),
)
CLIPS: dict[str, tuple[str, ...]] = {
    "spts.ts": (*PICTURE, *SOUND, *H264, "-c:a", "aac", "-metadata", "service_name=Únî"),
    "mpts.ts": (
        *(*PICTURE, *SOUND, *PICTURE, *SOUND, "-map", "0", "-map", "1", "-map", "2", "-map", "3", *H264),
        *("-b:v", "500k", "-c:a", "mp2", "-b:a", "128k", *TWO_PROGRAMS, "-muxrate", "2M"),
    ),
    "interlaced.ts": (
        *("-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=25", *SOUND, "-f", "lavfi", "-i", "anoisesrc=r=48000"),
        *("-map", "0", "-map", "1", "-map", "2", "-map", "2", "-vf", "format=yuv422p,setsar=1"),
        *("-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-top", "1", "-b:v", "15M"),
        *("-c:a:0", "mp2", "-c:a:1", "ac3", "-ac:a:1", "6", "-c:a:2", "aac", "-metadata:s:a:0", "language=eng"),
        *("-metadata:s:a:1", "language=fra", "-metadata:s:a:2", "language=deu"),
        *("-disposition:a:2", "hearing_impaired"),
    ),
    "hevc.ts": (
        *(*PICTURE, "-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-preset", "ultrafast"),
        *("-x265-params", "log-level=error"),
    ),
    "sound.ts": (*SOUND, "-c:a", "mp2"),
    "subtitled.mkv": (
        *(*PICTURE, *SOUND, "-i", "words.srt", "-map", "0", "-map", "1", "-map", "2", "-vf", "setsar=16/11"),
        *(*H264, "-c:a", "aac", "-c:s", "srt", "-metadata:s:s:0", "language=eng", "-disposition:s:0", "forced"),
    ),
    "hostile.ts": (
        *(*PICTURE, *H264, "-metadata", "service_name=A\n  Stream #0:9[0x9]: Video: h264, yuv420p, 8x8\x1b[2J"),
    ),
    "ladder/master.m3u8": (
        *(*PICTURE, *SOUND, "-map", "0", "-map", "0", "-map", "1", "-map", "1", "-s:v:1", "160x90", *H264),
        *("-c:a", "aac", "-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod", "-master_pl_name", "master.m3u8"),
        *("-var_stream_map", "v:0,a:0 v:1,a:1", "-hls_segment_filename", "ladder/%v_%d.ts"),
    ),
}


def made(directory: Path, name: str, arguments: tuple[str, ...]) -> None:
    last = "ladder/%v.m3u8" if name.startswith("ladder") else name
    argv = ["/usr/bin/ffmpeg", "-loglevel", "error", "-y", *arguments, "-t", "2", last]
    subprocess.run(argv, cwd=directory, stdin=subprocess.DEVNULL, check=True)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not Path("/usr/bin/ffmpeg").exists():
        pytest.skip("there is no /usr/bin/ffmpeg; install Debian's ffmpeg")
    directory = tmp_path_factory.mktemp("clips")
    (directory / "ladder").mkdir()
    (directory / "words.srt").write_text("1\n00:00:00,200 --> 00:00:01,500\nhello\n")
    for name, arguments in CLIPS.items():
        made(directory, name, arguments)
    (directory / "scrambled.ts").write_bytes(scrambled((directory / "mpts.ts").read_bytes(), [258]))
    return directory


@pytest.fixture(scope="session")
def served(clips: Path) -> Iterator[str]:
    """The clips over HTTP."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=clips)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Binary], Binary]:
    """The same FFmpeg in a place where no ffprobe is to be found."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "timeout").symlink_to(str(shutil.which("timeout")))

    def moved(binary: Binary) -> Binary:
        monkeypatch.setenv("PATH", str(programs))
        link = programs / binary.path.name
        link.unlink(missing_ok=True)
        link.symlink_to(binary.path)
        return replace(binary, path=link)

    return moved


@pytest.fixture
def look(clips: Path) -> Look:
    """Looks into a source; another file than an address is one of the clips."""

    def found(binary: Binary, url: str, time_s: float = 15, **fields: Any) -> Probe:
        return asyncio.run(looked(binary, clips, url, time_s, **fields))

    return found


async def looked(binary: Binary, clips: Path, url: str, time_s: float = 15, **fields: Any) -> Probe:
    host = HostFacts({"lo": ["127.0.0.1"]}, [clips], clips)
    source = Source(url=url if "://" in url else f"file://{url}", **fields)
    return await Inspector(lambda: [], lambda: binary, lambda: host).inspect(source, time_s)


def comparable(found: Probe) -> dict[str, Any]:
    """What both ways have to agree on: FFmpeg tells kilobits, and neither PMT nor PCR PIDs."""
    document = found.model_dump(exclude={"found_by"})
    for part in (document, *document["streams"]):
        part["bitrate"] = part["bitrate"] and part["bitrate"] // 1000
    for program in document["programs"]:
        program["pmt_pid"] = program["pcr_pid"] = None
    return document


@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["spts.ts", "mpts.ts", "interlaced.ts", "hevc.ts", "sound.ts", "subtitled.mkv", "scrambled.ts"]
)
def test_ffprobe_and_ffmpeg_alone_tell_the_same(
    binary: Binary, alone: Callable[[Binary], Binary], look: Look, name: str
) -> None:
    by_ffprobe = look(binary, name)
    by_ffmpeg = look(alone(binary), name)
    assert (by_ffprobe.found_by, by_ffmpeg.found_by) == ("ffprobe", "ffmpeg")
    assert comparable(by_ffprobe) == comparable(by_ffmpeg)


def test_both_ways_tell_the_same_of_an_hls_ladder(
    binary: Binary, alone: Callable[[Binary], Binary], look: Look, served: str
) -> None:
    url = f"{served}/ladder/master.m3u8"
    by_ffprobe, by_ffmpeg = look(binary, url), look(alone(binary), url)
    assert comparable(by_ffprobe) == comparable(by_ffmpeg)
    assert [stream.size for stream in by_ffmpeg.streams if stream.kind == "video"] == ["320x180", "160x90"]
    assert all(stream.field_order == "progressive" for stream in by_ffmpeg.streams if stream.kind == "video")
    assert len(by_ffmpeg.programs) == 2 and all(variant.bitrate for variant in by_ffmpeg.programs)


def test_an_mpts_shows_its_programs_and_their_pids(binary: Binary, look: Look) -> None:
    found = look(binary, "mpts.ts")
    assert [(one.number, one.name, one.provider, one.pmt_pid, one.pcr_pid) for one in found.programs] == [
        (101, "NEWS", "FFmpeg", 4096, 256),
        (202, "SPORT", "FFmpeg", 4097, 258),
    ]
    assert [[stream.pid for stream in found.streams_of(one)] for one in found.programs] == [[256, 257], [258, 259]]
    assert found.bitrate == pytest.approx(2_000_000, rel=0.02)
    assert [stream.measured_bitrate for stream in found.streams if stream.kind == "audio"] == [128_000, 128_000]


async def test_a_picture_that_comes_before_its_tables_is_not_taken_for_sound(
    binary: Binary, clips: Path, served: str
) -> None:
    """FFmpeg guesses at it: from one packet, 5.1 took it for MP3 in a third of all cases."""
    stream, pid = (clips / "mpts.ts").read_bytes(), 258
    begins = [
        at for at in range(0, len(stream), PACKET) if stream[at + 1 : at + 3] == (0x4000 | pid).to_bytes(2, "big")
    ]
    for number, at in enumerate(begins[1::6]):
        (clips / f"joined{number}.ts").write_bytes(stream[at:] + stream)
        source = Source(url=f"{served}/joined{number}.ts")

        found = await Looking(source, binary, HostFacts({}, [], clips), 15).description()

        codecs = [(one.pid, one.codec) for one in sorted(found.streams, key=lambda one: one.pid or 0)]
        assert codecs == [(256, "h264"), (257, "mp2"), (258, "h264"), (259, "mp2")]


def test_an_interlaced_contribution_feed_is_told_in_full(
    binary: Binary, alone: Callable[[Binary], Binary], look: Look
) -> None:
    picture, mp2, ac3, aac = look(alone(binary), "interlaced.ts").streams
    assert (picture.codec, picture.profile, picture.pixel_format) == ("mpeg2video", "4:2:2", "yuv422p")
    assert (picture.size, picture.fps, picture.field_order, picture.sample_aspect) == (
        "1920x1080",
        25,
        "top first",
        "1:1",
    )
    assert picture.measured_bitrate == pytest.approx(15_000_000, rel=0.1)
    assert [(track.codec, track.language) for track in (mp2, ac3, aac)] == [
        ("mp2", "eng"),
        ("ac3", "fra"),
        ("aac", "deu"),
    ]
    assert (ac3.layout, ac3.sample_rate, ac3.bitrate) == ("5.1(side)", 48_000, 448_000)
    assert (aac.profile, aac.dispositions) == ("LC", ["hearing impaired"])


def test_pictures_are_decoded_where_the_stream_does_not_say_how_it_is_scanned(binary: Binary, look: Look) -> None:
    (picture,) = look(binary, "hevc.ts").streams
    assert (picture.codec, picture.profile, picture.pixel_format) == ("hevc", "Main 10", "yuv420p10le")
    assert picture.field_order == "progressive"


def test_a_scrambled_picture_is_shown_as_such_and_the_others_are_measured(binary: Binary, look: Look) -> None:
    found = look(binary, "scrambled.ts")
    assert [stream.pid for stream in found.streams if not stream.is_complete] == [258]
    assert [stream.pid for stream in found.streams if stream.measured_bitrate is None] == [258]


def test_subtitles_and_the_shape_of_pixels_are_told(binary: Binary, look: Look) -> None:
    picture, sound, words = look(binary, "subtitled.mkv").streams
    assert (picture.sample_aspect, sound.kind, words.kind) == ("16:11", "audio", "subtitle")
    assert (words.codec, words.language, words.dispositions) == ("subrip", "eng", ["forced"])
    assert picture.pid is None


def test_a_service_name_cannot_forge_a_stream(binary: Binary, alone: Callable[[Binary], Binary], look: Look) -> None:
    for found in (look(binary, "hostile.ts"), look(alone(binary), "hostile.ts")):
        assert [stream.pid for stream in found.streams] == [256]
        assert found.programs[0].name.startswith("A")


def test_an_ffprobe_that_crashes_is_done_without(binary: Binary, alone: Callable[[Binary], Binary], look: Look) -> None:
    lonely = alone(binary)
    crashing = lonely.path.with_name("ffprobe")
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crashing.chmod(0o755)
    found = look(lonely, "spts.ts")
    assert (found.found_by, len(found.streams)) == ("ffmpeg", 2)


@pytest.mark.long
async def test_a_live_multiplex_is_measured_as_it_arrives(clips: Path, free_port: Callable[[], int]) -> None:
    port = free_port()
    argv = [
        *("/usr/bin/ffmpeg", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", str(clips / "mpts.ts")),
        *("-map", "0", "-c", "copy", *TWO_PROGRAMS, "-muxrate", "2M", "-flush_packets", "0", "-f", "mpegts"),
        f"udp://239.255.7.1:{port}?pkt_size=1316&localaddr=127.0.0.1&bitrate=2060000",
    ]
    sender = await asyncio.create_subprocess_exec(*argv, stdin=subprocess.DEVNULL)
    try:
        binaries = inspect_binary(Path("/usr/bin/ffmpeg"), "PATH"), inspect_binary(carried(), "carried")
        url = f"udp://239.255.7.1:{port}"
        looks = [looked(binary, clips, url, 30, interface="lo") for binary in binaries]
        for found in await asyncio.gather(*looks):
            assert [one.name for one in found.programs] == ["NEWS", "SPORT"]
            sounds = [stream.measured_bitrate for stream in found.streams if stream.kind == "audio"]
            assert sounds == [pytest.approx(128_000, rel=0.02)] * 2
            assert found.bitrate == pytest.approx(2_000_000, rel=0.35)
    finally:
        sender.kill()
        await sender.wait()


async def test_streams_over_rtp_keep_their_own_bitrates(clips: Path, free_port: Callable[[], int]) -> None:
    """They come in another order each time that the source is opened."""
    port = free_port()
    argv = [
        *("/usr/bin/ffmpeg", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", str(clips / "mpts.ts")),
        *("-map", "0", "-c", "copy", "-f", "rtp_mpegts", f"rtp://239.255.7.2:{port}?pkt_size=1316&localaddr=127.0.0.1"),
    ]
    sender = await asyncio.create_subprocess_exec(*argv, stdin=subprocess.DEVNULL)
    try:
        binaries = inspect_binary(Path("/usr/bin/ffmpeg"), "PATH"), inspect_binary(carried(), "carried")
        looks = [looked(binary, clips, f"rtp://239.255.7.2:{port}", 30, interface="lo") for binary in binaries]
        for found in await asyncio.gather(*looks):
            sounds = [stream.measured_bitrate for stream in found.streams if stream.kind == "audio"]
            assert sounds == [pytest.approx(128_000, rel=0.02)] * 2
    finally:
        sender.kill()
        await sender.wait()


@pytest.mark.long
async def test_faults_are_told_in_the_operators_words(
    binary: Binary, alone: Callable[[Binary], Binary], clips: Path, free_port: Callable[[], int]
) -> None:
    (clips / "noise.ts").write_bytes(os.urandom(200_000))
    port = free_port()
    causes = {
        f"udp://127.0.0.1:{port}": f"no packets from udp://127.0.0.1:{port} for 5 s",
        f"http://127.0.0.1:{port}/x.m3u8": f"the server at 127.0.0.1:{port} refused the connection",
        f"rtmp://127.0.0.1:{port}/live/secret-key": f"the server at 127.0.0.1:{port} refused the connection",
        "file://noise.ts": "file://noise.ts is neither picture nor sound that FFmpeg can read",
        "file://absent.ts": "does not exist",
    }
    # The one with its ffprobe, the other without.
    chosen = alone(binary) if binary.origin == "carried" else binary
    answers = await asyncio.gather(*(looked(chosen, clips, url) for url in causes), return_exceptions=True)
    for answer, cause in zip(answers, causes.values(), strict=True):
        assert isinstance(answer, SourceFault), answer
        assert cause in answer.faults[0].fault
        assert answer.faults[0].remedy
        assert "secret-key" not in str(answer)


async def test_the_time_limit_is_kept_and_said(clips: Path) -> None:
    binary = inspect_binary(carried(), "carried")
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        with pytest.raises(SourceFault, match=rf"nothing was found in http://127.0.0.1:{port}/x.ts within 3 s"):
            await looked(binary, clips, f"http://127.0.0.1:{port}/x.ts", 3)


async def test_a_look_that_nobody_waits_for_ends(
    binary: Binary, clips: Path, free_port: Callable[[], int], eventually: Callable[..., object]
) -> None:
    port = free_port()

    def running() -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found += [process.parent.name] if f"127.0.0.1:{port}".encode() in process.read_bytes() else []
            except OSError:
                continue
        return found

    task = asyncio.ensure_future(looked(binary, clips, f"udp://127.0.0.1:{port}"))
    await asyncio.to_thread(eventually, running)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(eventually, lambda: not running())
