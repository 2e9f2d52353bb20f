"""Text subtitles of a source in an HLS ladder: real FFmpegs, and the worker's part."""

import asyncio
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import m3u8
import pytest
from companion_pids import EVERY, FROM, PERIOD, SAID, TO, with_companions
from real_ffmpeg import Run, put_on_air

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.ffmpeg.ladders import HlsTree
from transcoder_tui.ffmpeg.outputs import hls_trees
from transcoder_tui.ffmpeg.texts import can_read_texts
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.output import PMT_PID
from transcoder_tui.worker import outputs
from transcoder_tui.worker.masters import Masters
from transcoder_tui.worker.resolution import Resolved, resolved
from transcoder_tui.worker.subtitles import subtitles_of

FRAME_S = 0.04
CUES = "1\n00:00:01,520 --> 00:00:02,200\nlight <i>on</i>\n\n2\n00:00:04,000 --> 00:00:04,800\n{language}\n"
"""The first is shown while the picture is white."""
_CUE = re.compile(r"(?:(\d+):)?(\d\d):(\d\d\.\d{3}) --> \S+\n(.*)")
_ORIGIN = re.compile(r"^WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:(\d+)\n\n")
_FRAME = re.compile(r"pts_time:([\d.]+).*mean:\[(\d+)")


@pytest.fixture
def clip(host: HostFacts, binary: Binary, tmp_path: Path) -> str:
    """Six seconds of black with a white flash, a tone, and subtitles in two languages."""
    host.media_roots[0].mkdir()
    path = host.media_roots[0] / "subtitled.mkv"
    for language in ("eng", "fra"):
        (tmp_path / f"{language}.srt").write_text(CUES.format(language=language))
    flash = "drawbox=c=white:t=fill:enable='gte(t,1.51)*lt(t,2.19)'"
    texts = [part for language in ("eng", "fra") for part in ("-i", str(tmp_path / f"{language}.srt"))]
    maps = [part for number in range(4) for part in ("-map", str(number))]
    names = ["-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=fra"]
    subprocess.run(
        [
            *(str(binary.path), "-v", "error", "-f", "lavfi", "-i", f"color=black:s=160x90:r=25:d=6,{flash}"),
            *("-f", "lavfi", "-i", "sine=d=6", *texts, *maps, "-c:v", "libx264", "-preset", "ultrafast"),
            *("-c:a", "aac", "-c:s", "srt", *names, str(path)),
        ],
        check=True,
        env={**binary.environment},
        stdin=subprocess.DEVNULL,
    )
    return f"file://{path.name}"


@pytest.fixture
def feed(binary: Binary, helper: Any, free_port: Callable[[], int], tmp_path: Path) -> str:
    """A live transport stream of the same kind, with teletext."""
    plain, clip = tmp_path / "plain.ts", tmp_path / "teletext.ts"
    flash = f"drawbox=c=white:t=fill:enable='gte(mod(t,{PERIOD}),{FROM})*lt(mod(t,{PERIOD}),{TO})'"
    subprocess.run(
        [
            *(str(binary.path), "-v", "error", "-f", "lavfi", "-i", f"color=black:s=160x90:r=25:d=12,{flash}"),
            *("-f", "lavfi", "-i", "sine=d=12", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25"),
            *("-c:a", "aac", "-muxdelay", "0", "-muxpreload", "0", "-f", "mpegts", str(plain)),
        ],
        check=True,
        env={**binary.environment},
        stdin=subprocess.DEVNULL,
    )
    clip.write_bytes(with_companions(plain.read_bytes(), PMT_PID))
    url = f"udp://127.0.0.1:{free_port()}"
    looped = ("-re", "-stream_loop", "-1", "-i", str(clip), "-map", "0:v", "-map", "0:a", "-map", "0:s:0")
    helper(*looped, "-c", "copy", "-f", "mpegts", f"{url}?pkt_size=1316")
    return url


def channel(clip: str, *given: dict[str, Any], subtitles: str = "all") -> ChannelSpec:
    picture = {"size": "160x90", "bitrate": "150k", "preset": "veryfast", "gop": "1s"}
    sound = {"bitrate": "64k", "channels": 1}
    return ChannelSpec.model_validate(
        {
            "name": "News",
            "sources": [{"url": clip, "subtitles": subtitles}],
            "renditions": [
                {"name": "high", "video": picture, "audio": sound},
                {"name": "low", "video": {**picture, "bitrate": "100k"}, "audio": sound},
            ],
            "outputs": given,
        }
    )


PutOnAir = Callable[[ChannelSpec], Run]


@pytest.fixture
def on_air(binary: Binary, host: HostFacts, tmp_path: Path) -> Iterator[PutOnAir]:
    """Starts a channel as the worker does, after a look into its source."""
    runs: list[Run] = []

    def start(spec: ChannelSpec) -> Run:
        found: Resolved = asyncio.run(resolved(spec, 0, binary, host))
        outputs.prepare(spec, host, found.texts)
        runs.append(put_on_air(found.spec, binary, host, tmp_path, str(len(runs)), found.codecs, found.texts))
        return runs[-1]

    yield start
    for one in runs:
        if one.process.poll() is None:
            one.kill()


def number_listed(spec: ChannelSpec, host: HostFacts, tree: HlsTree) -> int:
    outputs.tend_subtitles(spec, host)
    playlists = [subtitle.playlist for subtitle in subtitles_of(tree)]
    return min((len(m3u8.load(str(path)).segments) if path.exists() else 0 for path in playlists), default=0)


def runs_of(playlist: Path) -> list[list[m3u8.Segment]]:
    """The segments between discontinuities."""
    runs: list[list[m3u8.Segment]] = [[]]
    for segment in m3u8.load(str(playlist)).segments:
        runs += [[]] if segment.discontinuity and runs[-1] else []
        runs[-1].append(segment)
    return runs


def cue_times(directory: Path, segments: list[m3u8.Segment], text: str) -> list[float]:
    """When a cue begins, in seconds of the picture's timestamps."""
    times = []
    for segment in segments:
        written = (directory / segment.uri).read_text()
        origin = _ORIGIN.match(written)
        assert origin, written
        times += [
            int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds) + int(origin[1]) / 90_000
            for hours, minutes, seconds, said in _CUE.findall(written)
            if said == text
        ]
    return times


def flash_times(binary: Binary, playlist: Path, segments: list[m3u8.Segment], scratch: Path) -> list[float]:
    """When the picture turns white, in seconds of its timestamps."""
    header = b"".join((playlist.parent / one.uri).read_bytes() for one in m3u8.load(str(playlist)).segment_map[:1])
    together = scratch / "together"
    together.write_bytes(header + b"".join((playlist.parent / one.uri).read_bytes() for one in segments))
    told = subprocess.run(
        [str(binary.path), "-hide_banner", "-copyts", "-i", together, "-an", "-vf", "showinfo", "-f", "null", "-"],
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    ).stderr
    frames = [(float(time), int(mean) > 128) for time, mean in _FRAME.findall(told)]
    return [time for (_, before), (time, white) in zip([(0.0, False), *frames], frames, strict=False) if white > before]


@pytest.mark.long
@pytest.mark.parametrize("form", ["ts", "fmp4"])
def test_cues_go_with_the_picture_before_and_after_a_restart(
    binary: Binary, host: HostFacts, clip: str, on_air: PutOnAir, eventually: Any, tmp_path: Path, form: str
) -> None:
    output = {"url": "hls://news", "format": form, "segment": "1s", "window": 30}
    spec = channel(clip, output, {"url": "file://copy.ts", "rendition": "low"})
    (tree,) = hls_trees(spec, host)
    if not can_read_texts(spec.sources[0], binary):
        pytest.skip("this FFmpeg loses the pace of a file of which it reads subtitles")
    first = on_air(spec)
    eventually(lambda: number_listed(spec, host, tree) >= 3, timeout_s=30)
    outputs.keep(spec, host)
    first.stop()
    before = number_listed(spec, host, tree)
    second = on_air(spec)
    eventually(lambda: number_listed(spec, host, tree) >= before + 10, timeout_s=40)

    Masters().correct(tree)
    master = m3u8.load(str(tree.master))
    assert [(one.type, one.language, one.name) for one in master.media if one.type == "SUBTITLES"] == [
        ("SUBTITLES", "eng", "eng"),
        ("SUBTITLES", "fra", "fra"),
    ]
    assert [variant.stream_info.subtitles for variant in master.playlists] == ["subtitles", "subtitles"]
    for subtitle, other in zip(subtitles_of(tree), ("eng", "fra"), strict=True):
        texts, pictures = m3u8.load(str(subtitle.playlist)), m3u8.load(str(subtitle.rung))
        assert texts.media_sequence == pictures.media_sequence
        assert texts.target_duration == pictures.target_duration
        assert not texts.is_endlist
        for text, picture in zip(texts.segments, pictures.segments, strict=False):
            assert (text.duration, text.discontinuity) == (picture.duration, picture.discontinuity)
            assert text.program_date_time == picture.program_date_time
            assert Path(text.uri).stem == Path(picture.uri).stem
        cued, shown = runs_of(subtitle.playlist), runs_of(subtitle.rung)
        assert len(cued) == 2
        for run, (texts_of_run, pictures_of_run) in enumerate(zip(cued, shown, strict=True)):
            cues = cue_times(subtitle.playlist.parent, texts_of_run, "light <i>on</i>")
            flashes = flash_times(binary, subtitle.rung, pictures_of_run, tmp_path)
            assert len(cues) >= 1 + run
            for cue, flash in zip(cues, flashes, strict=False):
                assert abs(cue - flash) <= FRAME_S
        assert cue_times(subtitle.playlist.parent, cued[1], other)
    second.stop()
    outputs.finalise(spec, host)
    assert [one.complaints for one in (first, second)] == [[], []]
    for subtitle in subtitles_of(tree):
        texts, pictures = m3u8.load(str(subtitle.playlist)), m3u8.load(str(subtitle.rung))
        assert texts.is_endlist
        assert len(texts.segments) == len(pictures.segments)


def test_teletext_of_a_live_source_is_shown_as_text(
    binary: Binary, host: HostFacts, feed: str, on_air: PutOnAir, eventually: Any, tmp_path: Path
) -> None:
    spec = channel(feed, {"url": "hls://news", "segment": "1s", "window": 30})
    (tree,) = hls_trees(spec, host)
    run = on_air(spec)
    eventually(lambda: number_listed(spec, host, tree) >= 9, timeout_s=60)

    (subtitle,) = subtitles_of(tree)
    (segments,), (pictures,) = runs_of(subtitle.playlist), runs_of(subtitle.rung)
    cues = cue_times(subtitle.playlist.parent, segments, SAID)
    flashes = flash_times(binary, subtitle.rung, pictures, tmp_path)
    assert subtitle.language == "fin"
    assert flashes
    # The page is repeated all the time; the first of them comes once the picture is white.
    for flash in flashes:
        first = min((cue for cue in cues if cue > flash - FRAME_S), default=0.0)
        assert flash - FRAME_S <= first <= flash + 2 * EVERY
    run.stop()
