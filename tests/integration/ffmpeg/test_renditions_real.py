"""What becomes of a picture and a sound, measured: real FFmpegs, tiny pictures, files read by ffprobe and as samples.

The commands are those of channels, but for ``-re`` and the endless loop: so they end by themselves and need no time.
"""

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from transcoder_tui.errors import HostFault
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts, build_command
from transcoder_tui.ffmpeg.drawing import Drawing
from transcoder_tui.ffmpeg.graph import quoted
from transcoder_tui.ffmpeg.hardware import HARDWARE_ENCODERS, build_test, why_not
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.encoder_options import OPTIONS, Number, Words
from transcoder_tui.models.overlay import Overlay
from transcoder_tui.models.rendition import SOFTWARE

Probe = Callable[..., Any]
FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
QUICK = {"h264": {"preset": "ultrafast"}, "hevc": {"preset": "ultrafast"}, "av1": {"preset": "ultrafast"}, "mpeg2": {}}
"""The cheapest setting of each codec."""
SIZES = ("128x96", "96x72")


def video(codec: str = "h264", **fields: Any) -> dict[str, Any]:
    return (
        {"codec": codec, "encoder": "software", "size": "96x72", "bitrate": "200k", "gop": "1s"} | QUICK[codec] | fields
    )


@dataclass
class Lab:
    """One FFmpeg with a clip to read, and the files that it makes."""

    binary: Binary
    host: HostFacts
    media: Path

    def clip(self, *arguments: str, name: str = "clip.ts") -> None:
        """Makes the clip that channels read."""
        self.ffmpeg(*arguments, f"file:{self.media / name}")

    def ffmpeg(self, *arguments: str) -> bytes:
        argv = [str(self.binary.path), "-hide_banner", "-loglevel", "error", "-nostats", "-y", *arguments]
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60).stdout

    def make(self, *renditions: dict[str, Any], ending: str = "mkv", **fields: Any) -> list[Path]:
        """Runs a channel that writes a file for each rendition; fails where FFmpeg reports an error."""
        source = {"url": "file://clip.ts", **fields.pop("source", {})}
        named = [{"name": f"r{number}", **rendition} for number, rendition in enumerate(renditions)]
        names = [entry["name"] for entry in named]
        outputs = [{"url": f"file://{name}.{ending}", "rendition": name} for name in names]
        spec = ChannelSpec.model_validate(
            {"name": "Lab", "sources": [source], "renditions": named, "outputs": outputs, **fields}
        )
        self.log = self.run(spec)
        return [self.media / f"{name}.{ending}" for name in names]

    def run(self, spec: ChannelSpec) -> str:
        argv = list(build_command(spec, self.binary, self.host).argv)
        argv.remove("-re")
        at = argv.index("-stream_loop")
        del argv[at : at + 2]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, cwd=self.media)
        log = done.stderr.decode(errors="replace")
        assert done.returncode == 0, log
        complaints = [line for line in log.splitlines() if re.search(r"\[(error|fatal)\]", line)]
        assert complaints == []
        return log

    def frames(self, path: Path, size: str, pixels: str = "gray") -> list[bytes]:
        """The decoded pictures of a file."""
        raw = self.ffmpeg("-i", f"file:{path}", "-f", "rawvideo", "-pix_fmt", pixels, "-")
        width, height = map(int, size.split("x"))
        length = width * height * {"gray": 1, "rgb24": 3}[pixels]
        return [raw[at : at + length] for at in range(0, len(raw), length)]

    def said(self, path: Path, *filters: str) -> str:
        """What filters that measure say of a file."""
        argv = [str(self.binary.path), "-hide_banner", "-nostats", "-i", f"file:{path}", *filters, "-f", "null", "-"]
        return subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60
        ).stderr.decode()


@pytest.fixture
def lab(binary: Binary, host: HostFacts) -> Iterator[Lab]:
    if not FONT.exists():
        pytest.skip(f"there is no {FONT}; install fonts-dejavu-core")
    media = host.media_roots[0]
    media.mkdir()
    yield Lab(binary, replace(host, progress_fd=1, font=FONT), media)


def lavfi(*sources: str) -> list[str]:
    return [part for source in sources for part in ("-f", "lavfi", "-i", source)]


def measured(said: str, name: str) -> float:
    """The last figure that a measuring filter gave under a name."""
    return float(re.findall(rf"{re.escape(name)}:?\s*(-?[\d.]+)", said)[-1])


H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p")
SOUND = ("-c:a", "mp2", "-b:a", "192k")

CODECS: dict[str, tuple[dict[str, Any], dict[str, Any] | None, tuple[Any, ...]]] = {
    # rendition's video, its audio, what ffprobe finds: codec, profile, pixels, sound, sampling rate, channels
    "h264+aac": ({"preset": "superfast"}, {}, ("h264", "High", "yuv420p", "aac", "48000", 2)),
    "h264 main+mp2": (
        {"profile": "main", "level": "3.1", "bframes": 1, "tune": "film", "preset": "veryfast"},
        {"codec": "mp2", "bitrate": "192k", "channels": 1, "sample_rate": 44100},
        ("h264", "Main", "yuv420p", "mp2", "44100", 1),
    ),
    "h264 10 bit+eac3": (
        {"bit_depth": 10},
        {"codec": "eac3", "bitrate": "192k", "channels": 6},
        ("h264", "High 10", "yuv420p10le", "eac3", "48000", 6),
    ),
    "hevc+ac3": (
        {"codec": "hevc"},
        {"codec": "ac3", "bitrate": "384k", "channels": 6},
        ("hevc", "Main", "yuv420p", "ac3", "48000", 6),
    ),
    "hevc 10 bit+opus": (
        {"codec": "hevc", "bit_depth": 10, "level": "4"},
        {"codec": "opus"},
        ("hevc", "Main 10", "yuv420p10le", "opus", "48000", 2),
    ),
    "mpeg2+opus": (
        {"codec": "mpeg2"},
        {"codec": "opus", "channels": 6, "bitrate": "256k"},
        ("mpeg2video", "Main", "yuv420p", "opus", "48000", 6),
    ),
    "av1+aac": (
        {"codec": "av1"},
        {"channels": 6, "bitrate": "256k"},
        ("av1", "Main", "yuv420p", "aac", "48000", 6),
    ),
    "av1 10 bit": ({"codec": "av1", "bit_depth": 10}, None, ("av1", "Main", "yuv420p10le", None, None, None)),
}


def test_one_decode_feeds_every_codec_and_copies_beside(lab: Lab, ffprobe: Probe) -> None:
    lab.clip(*lavfi("testsrc2=s=128x96:r=25:d=1", "sine=r=48000:d=1"), *H264, *SOUND, "-ac", "2")
    copied = {"video": {"codec": "copy", "bitrate": "1M"}, "audio": {"codec": "copy", "bitrate": "192k"}}

    made = lab.make(
        *({"video": video(**picture), "audio": sound} for picture, sound, _ in CODECS.values()), copied, ending="mkv"
    )

    found = {}
    for name, path in zip([*CODECS, "copy"], made, strict=True):
        streams = {stream["codec_type"]: stream for stream in ffprobe(path, "-show_streams")["streams"]}
        picture, sound = streams["video"], streams.get("audio", {})
        found[name] = (
            *(picture[key] for key in ("codec_name", "profile", "pix_fmt")),
            *(sound.get(key) for key in ("codec_name", "sample_rate", "channels")),
        )
    assert found == {
        **{name: expected for name, (_, _, expected) in CODECS.items()},
        "copy": ("h264", "Constrained Baseline", "yuv420p", "mp2", "48000", 2),
    }
    assert lab.log.count(" -> yadif") == 1


@pytest.mark.long
@pytest.mark.parametrize(("ending", "tag"), [("mp4", "hvc1"), ("mkv", ""), ("ts", "HEVC")])
def test_hevc_is_what_apples_players_take_where_there_are_kinds_of_it(
    lab: Lab, ffprobe: Probe, ending: str, tag: str
) -> None:
    """It was hev1 in MP4, which they refuse."""
    lab.clip(*lavfi("testsrc2=s=128x96:r=25:d=0.4"), *H264)

    alone = lab.make({"video": video("hevc"), "audio": None}, ending=ending)
    beside = lab.make(*[{"video": video("hevc"), "audio": None}] * 2, ending=ending)

    for path in (*alone, *beside):
        (stream,) = ffprobe(path, "-show_streams")["streams"]
        assert stream["codec_tag_string"].replace("[0]", "") == tag
        assert len(lab.frames(path, "96x72")) == 10


def test_he_aac_is_refused_by_name_where_no_encoder_is(lab: Lab) -> None:
    if "libfdk_aac" in lab.binary.encoders:
        pytest.skip("this FFmpeg has libfdk_aac")
    with pytest.raises(HostFault) as refused:
        lab.make({"video": video(), "audio": {"codec": "he-aac"}})

    assert refused.value.faults[0].field == "renditions[0].audio.codec"
    assert refused.value.faults[0].fault == "this FFmpeg has no encoder libfdk_aac"


def bright(frame: bytes, width: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom edge of what is not black."""
    columns = {at % width for at, value in enumerate(frame) if value > 60}
    rows = {at // width for at, value in enumerate(frame) if value > 60}
    return min(columns), min(rows), max(columns) + 1, max(rows) + 1


GEOMETRY = {
    # size and shape of the pixels of the source: where a white picture lies in 192x108 (16:9) when padded
    ("96x72", "1"): (24, 0, 168, 108),
    ("144x144", "16/9"): (0, 0, 192, 108),
    ("96x40", "1"): (0, 14, 192, 94),
}


@pytest.mark.parametrize(("source", "padded"), GEOMETRY.items(), ids=str)
def test_the_aspect_is_kept_unless_told_otherwise(lab: Lab, ffprobe: Probe, source: Any, padded: Any) -> None:
    size, shape = source
    lab.clip(*lavfi(f"color=white:s={size}:r=25:d=0.4"), "-vf", f"setsar={shape}", *H264)
    fits = [video(size="192x108", bitrate="1M", fit=fit) for fit in ("pad", "crop", "stretch")]

    made = lab.make(*({"video": fit, "audio": None} for fit in fits))

    edges = [bright(lab.frames(path, "192x108")[2], 192) for path in made]
    assert all(abs(here - there) <= 2 for here, there in zip(edges[0], padded, strict=True)), edges[0]
    assert edges[1:] == [(0, 0, 192, 108)] * 2
    for path in made:
        stream = ffprobe(path, "-show_streams")["streams"][0]
        assert (stream["width"], stream["height"], stream["sample_aspect_ratio"]) == (192, 108, "1:1")


ANAMORPHIC = {
    # size of the source: where a white picture lies in 144x144, which is shown as 16:9
    "192x108": (0, 0, 144, 144),
    "96x72": (18, 0, 126, 144),
    "96x40": (0, 18, 144, 126),
}


@pytest.mark.long
@pytest.mark.parametrize(("source", "padded"), ANAMORPHIC.items(), ids=str)
def test_pixels_that_are_not_square_keep_the_aspect_too(lab: Lab, ffprobe: Probe, source: str, padded: Any) -> None:
    lab.clip(*lavfi(f"color=white:s={source}:r=25:d=0.4"), *H264)
    lab.clip(*lavfi("color=black:s=8x8"), "-frames:v", "1", name="logo.png")
    wide = {"size": "144x144", "aspect": "16:9", "bitrate": "1M"}
    rungs = [*(video(codec, **wide) for codec in ("h264", "hevc", "mpeg2")), video(**wide, fit="crop")]

    for overlay in ({"overlay": {"logo": "file://logo.png"}}, {}):
        made = lab.make(*({"video": rung, "audio": None} for rung in rungs), ending="ts", **overlay)

        for path, expected in zip(made, [padded] * 3 + [(0, 0, 144, 144)], strict=True):
            (stream,) = ffprobe(path, "-show_streams")["streams"]
            assert (stream["width"], stream["height"]) == (144, 144)
            assert (stream["sample_aspect_ratio"], stream["display_aspect_ratio"]) == ("16:9", "16:9")
            edges = bright(lab.frames(path, "144x144")[2], 144)
            assert all(abs(here - there) <= 2 for here, there in zip(edges, expected, strict=True)), (path.name, edges)


def test_the_source_size_is_taken_with_its_pixels_and_made_even(lab: Lab, ffprobe: Probe) -> None:
    lab.clip(
        *lavfi("testsrc2=s=98x74:r=25:d=0.4"),
        "-vf",
        "crop=97:73:exact=1,setsar=16/11,format=yuv444p",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
    )

    (made,) = lab.make({"video": video(size=None), "audio": None})

    stream = ffprobe(made, "-show_streams")["streams"][0]
    assert (stream["width"], stream["height"], stream["sample_aspect_ratio"]) == (96, 72, "16:11")


def test_deinterlacing_is_what_the_source_says(lab: Lab) -> None:
    bar = "color=black:s=128x96:r=50:d=1.5[a];color=white:s=16x96:r=50:d=1.5[b];[a][b]overlay=x='mod(n*6,112)'"
    interlaced = f"{bar},tinterlace=interleave_top,setfield=tff"
    lab.clip(*lavfi(interlaced), "-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-b:v", "4M")

    def combed(frames: list[bytes]) -> float:
        """How many pixels differ much from the one below them; nothing but the movement between fields does that."""
        pairs = [(at, at + 128) for row in range(0, 96, 2) for at in range(row * 128, row * 128 + 128)]
        return sum(abs(frame[one] - frame[other]) > 100 for frame in frames for one, other in pairs) / len(frames)

    def moves(frames: list[bytes]) -> float:
        """Share of the frames in which the bar is elsewhere than in the one before."""
        places = [bright(frame, 128)[0] for frame in frames]
        return sum(abs(here - there) > 2 for here, there in pairwise(places)) / (len(frames) - 1)

    seen = {}
    for how in ("auto", "on", "off", "bob"):
        rungs = [video(size="128x96", bitrate="4M", fps=fps) for fps in (50, 25)]
        smooth, plain = lab.make(*({"video": rung, "audio": None} for rung in rungs), source={"deinterlace": how})
        seen[how] = (
            combed(lab.frames(plain, "128x96")[5:15]) < 30,
            moves(lab.frames(smooth, "128x96")[10:60]) > 0.9,
        )
    assert seen == {"auto": (True, False), "on": (True, False), "off": (False, False), "bob": (True, True)}


@pytest.mark.long
@pytest.mark.parametrize("fps", [25, 29.97])
def test_keyframes_of_every_codec_and_rung_are_at_the_same_instants(lab: Lab, ffprobe: Probe, fps: float) -> None:
    cut = "mandelbrot=s=128x96:r=25,trim=duration=1.3[a];testsrc2=s=128x96:r=25:d=2.1,negate[b];[a][b]concat"
    lab.clip(*lavfi(cut), *H264)
    codecs = [(codec, size) for codec in QUICK for size in SIZES]

    made = lab.make(*({"video": video(codec, size=size, fps=fps), "audio": None} for codec, size in codecs))

    times = {}
    for name, path in zip(codecs, made, strict=True):
        packets = ffprobe(path, "-select_streams", "v", "-show_entries", "packet=pts_time,flags")["packets"]
        times[name] = [float(packet["pts_time"]) for packet in packets if "K" in packet["flags"]]
    rate = Fraction(30000, 1001) if fps == 29.97 else Fraction(25)
    expected = [float(gop * round(rate) / rate) for gop in range(4)]
    for name, found in times.items():
        assert found == pytest.approx(expected, abs=0.0015), name


RATES = {
    "x264 cbr": video(rate="cbr", vbv="500ms", preset="veryfast"),
    "x265 cbr": video("hevc", rate="cbr", vbv="500ms"),
    "mpeg2 cbr": video("mpeg2", bitrate="800k", rate="cbr", vbv="500ms"),
    "x264 capped": video(vbv="500ms", preset="veryfast"),
    "x265 capped": video("hevc", vbv="500ms"),
    "mpeg2 capped": video("mpeg2", bitrate="800k", vbv="500ms"),
    "av1 capped": video("av1", bitrate="600k", vbv="1s"),
    "x264 with a ceiling": video(maxrate="300k", vbv="500ms", preset="veryfast"),
    "x264 vbr": video(rate="vbr", preset="veryfast"),
}


def test_each_rate_control_keeps_its_promise(lab: Lab, ffprobe: Probe) -> None:
    """Five seconds that cost nothing, then five that cost much."""
    hard = "color=gray:s=192x108:r=25:d=5[a];testsrc2=s=192x108:r=25:d=5,noise=alls=14:allf=t[b];[a][b]concat"
    lab.clip(*lavfi(hard), *H264, "-crf", "10")

    made = lab.make(*({"video": fields | {"size": "192x108"}, "audio": None} for fields in RATES.values()))

    seconds = {}
    for (name, fields), path in zip(RATES.items(), made, strict=True):
        packets = ffprobe(path, "-select_streams", "v", "-show_entries", "packet=size")["packets"]
        sizes = [int(packet["size"]) * 8 for packet in packets]
        assert len(sizes) == 250
        unit = int(str(fields["bitrate"]).removesuffix("k")) * 1000
        seconds[name] = [sum(sizes[at : at + 25]) / unit for at in range(0, 250, 25)]
    print(*(f"{name}: {' '.join(f'{share:.2f}' for share in shares)}" for name, shares in seconds.items()), sep="\n")
    for name, shares in seconds.items():
        cheap = shares[1:5]
        if name.endswith("cbr"):
            assert all(share == pytest.approx(1, abs=0.03) for share in cheap), name
            assert sum(shares[1:]) / 9 == pytest.approx(1, abs=0.06), name
            assert max(shares) <= 1.55, name
        else:
            assert max(cheap) < 0.6, name
    for name in ("x264 capped", "x265 capped", "mpeg2 capped"):
        assert max(seconds[name]) <= 1.55, name
    assert max(seconds["av1 capped"]) <= 2.05
    assert max(seconds["x264 with a ceiling"]) <= 1.5 * 1.55
    assert max(seconds["x264 vbr"]) > max(seconds["x264 with a ceiling"])


def test_loudness_is_brought_to_the_target(lab: Lab) -> None:
    quiet = "anoisesrc=color=pink:r=48000:d=10:seed=7,volume='0.05*(1+0.5*sin(t))':eval=frame"
    lab.clip(*lavfi("color=gray:s=64x64:r=5:d=10", quiet), *H264, *SOUND, "-ac", "2")
    tiny = video(size="64x64", fps=5)

    made = lab.make(
        *({"video": tiny, "audio": {"bitrate": "192k", "loudness": target}} for target in (-23, -16)),
        {"video": tiny, "audio": {"bitrate": "192k"}},
        {"video": tiny, "audio": {"bitrate": "192k", "gain": 6}},
    )

    said = [lab.said(path, "-af", "ebur128=peak=true" if path is made[1] else "ebur128") for path in made]
    levels = [measured(text, "I") for text in said]
    assert levels[0] == pytest.approx(-23, abs=1.5)
    assert levels[1] == pytest.approx(-16, abs=1.5)
    assert levels[3] - levels[2] == pytest.approx(6, abs=0.5)
    assert levels[2] < -28
    assert measured(said[1], "Peak") < -1
    for path in made[:2]:
        assert "48000 Hz" in lab.said(path)


def test_loudness_of_51_is_that_of_what_is_heard(lab: Lab) -> None:
    centre = "aevalsrc=0|0|0.02*sin(2000*t)*random(0)|0|0|0:c=5.1:s=48000:d=6"
    lab.clip(*lavfi("color=gray:s=64x64:r=5:d=6", centre), *H264, "-c:a", "ac3", "-b:a", "448k")
    tiny = video(size="64x64", fps=5)

    sounds = [{"channels": channels, "bitrate": "256k", "loudness": -23} for channels in (2, 6)]
    stereo, surround = lab.make(*({"video": tiny, "audio": sound} for sound in sounds))

    for path in (stereo, surround):
        assert measured(lab.said(path, "-af", "ebur128"), "I") == pytest.approx(-23, abs=1.5)
    # The dialogue comes from both sides of a downmix alike.
    left, right = (
        measured(lab.said(stereo, "-af", f"pan=mono|c0=c{side},volumedetect"), "mean_volume") for side in (0, 1)
    )
    assert left == pytest.approx(right, abs=0.5)


def test_sound_comes_as_much_later_or_earlier_as_asked_for(lab: Lab) -> None:
    onset = "aevalsrc='if(gte(t,1),0.5*sin(6000*t),0)':s=48000:d=2"
    lab.clip(*lavfi("color=gray:s=64x64:r=25:d=2", onset), *H264, *SOUND, "-ac", "2")
    delays = [None, "300ms", "-300ms"]

    made = lab.make(*({"video": video(size="64x64"), "audio": {"delay": delay}} for delay in delays))

    starts = [measured(lab.said(path, "-af", "silencedetect=n=-30dB:d=0.1"), "silence_end") for path in made]
    assert starts[1] - starts[0] == pytest.approx(0.3, abs=0.03)
    assert starts[2] - starts[0] == pytest.approx(-0.3, abs=0.03)


def colour(frame: bytes, width: int, x: int, y: int) -> tuple[int, int, int]:
    at = (y * width + x) * 3
    return frame[at], frame[at + 1], frame[at + 2]


@pytest.mark.parametrize("host", ["it's [a]; b,c=d"], indirect=True)
def test_a_logo_stays_where_it_is_on_every_rung_even_when_the_source_changes(lab: Lab, ffprobe: Probe) -> None:
    for number, size in enumerate(("320x180", "160x120")):
        later = ("-output_ts_offset", f"{number * 1.2}")
        lab.clip(*lavfi(f"color=gray:s={size}:r=25:d=1.2"), *H264, *later, name=f"{number}.ts")
    (lab.media / "clip.ts").write_bytes((lab.media / "0.ts").read_bytes() + (lab.media / "1.ts").read_bytes())
    lab.ffmpeg(*lavfi("color=red:s=40x20:d=1"), "-frames:v", "1", "-update", "1", f"file:{lab.media / 'logo.png'}")
    sizes = ("320x180", "160x90")

    made = lab.make(
        *({"video": video(size=size, bitrate="1M"), "audio": None} for size in sizes),
        overlay={"logo": "file://logo.png", "logo_height": 20, "logo_opacity": 50, "logo_position": "bottom-right"},
    )

    for size, path in zip(sizes, made, strict=True):
        [picture] = ffprobe(path, "-show_streams")["streams"]
        assert picture.get("color_range", "tv") == "tv"
        width, height = map(int, size.split("x"))
        frames = lab.frames(path, size, "rgb24")
        assert 58 <= len(frames) <= 61
        for frame in (frames[2], frames[-2]):
            red, green, _ = colour(frame, width, width * 85 // 100, height * 85 // 100)
            assert red > 150
            assert 30 < green < 90
            assert max(colour(frame, width, width // 2, height // 2)) < 140


HOSTILE = [
    "plain",
    "a:b=c",
    "it's 'quoted'",
    r"back\slash \\ \n \: \'",
    "%{pts} %{localtime} %% %",
    "[v0] [in];[out],split=2[a][b]",
    '{x} $(id) `id` "q" #hash|pipe',
    ":textfile=/etc/passwd:x=0",
    "',drawtext=textfile=/etc/passwd:text='",
    "ünïcödé § 100 % ★",
]


def drawn(lab: Lab, filters: str) -> bytes:
    return lab.ffmpeg(*lavfi(f"color=gray:s=480x96:r=25:d=0.04,{filters}"), "-f", "rawvideo", "-pix_fmt", "gray", "-")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_drawn_letter_by_letter(lab: Lab, text: str) -> None:
    (lab.media / "t.txt").write_text(text)
    (ours,) = Drawing(Overlay(text=text, text_height=20), None, FONT).over("480x96", 8, "0")
    given = ours.replace(f"text={quoted(text)}", f"textfile={quoted(str(lab.media / 't.txt'))}")
    assert given != ours

    assert drawn(lab, ours) == drawn(lab, given)
    assert drawn(lab, ours) != drawn(lab, "null")


def test_the_clock_shows_the_time(lab: Lab) -> None:
    (clock,) = Drawing(Overlay(clock="utc", text_height=20), None, FONT).over("480x96", 8, "0")
    began = datetime.now(UTC)
    ours = drawn(lab, clock)
    ended = datetime.now(UTC)

    seconds = range(int((ended - began).total_seconds()) + 2)
    candidates = [f"{began + timedelta(seconds=number):%H:%M:%S} UTC" for number in seconds]
    fixed = [
        next(iter(Drawing(Overlay(text=text, text_height=20), None, FONT).over("480x96", 8, "0")))
        for text in candidates
    ]
    assert ours in [drawn(lab, line) for line in fixed]


def test_text_and_clock_are_drawn_on_a_picture_of_unknown_size(lab: Lab) -> None:
    lab.clip(*lavfi("color=black:s=160x90:r=25:d=0.4"), *H264)

    (made,) = lab.make(
        {"video": video(size=None), "audio": None},
        overlay={"text": "X", "clock": "local", "text_height": 20, "text_position": "top-left"},
    )

    left, top, _, _ = bright(lab.frames(made, "160x90")[5], 160)
    assert (left, top) < (24, 24)


def mild(name: str, rule: Any) -> str:
    """A value that goes together with those of the other options."""
    if isinstance(rule, Words):
        return rule.words[0]
    if isinstance(rule, Number):
        return f"{rule.high if 'max' in name else rule.low:g}"
    return "-1,-1"


@pytest.mark.parametrize("codec", QUICK)
def test_every_option_on_the_list_is_known_to_the_encoder(lab: Lab, codec: str) -> None:
    lab.clip(*lavfi("testsrc2=s=128x96:r=25:d=0.4"), *H264)
    given = {name: mild(name, rule) for name, rule in OPTIONS[SOFTWARE[codec]].items()}

    lab.make({"video": video(codec, size="128x96", options=given), "audio": None})

    unknown = re.findall(r".*(?:rror parsing|nknown option|not found|nvalid (?:value|option)|nrecognized).*", lab.log)
    assert unknown == []


@pytest.mark.parametrize("hardware", ["nvenc", "qsv", "vaapi"])
def test_hardware_that_is_not_there_fails_its_test_with_a_reason(lab: Lab, hardware: str) -> None:
    encoder = HARDWARE_ENCODERS["h264"][hardware]
    if encoder.name not in lab.binary.encoders:
        pytest.skip(f"this FFmpeg has no {encoder.name}")
    device = "/dev/dri/renderD128" if hardware == "vaapi" else ""
    argv = [str(lab.binary.path), *build_test(encoder, "h264", device)]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    if done.returncode == 0:
        pytest.skip(f"this machine has {hardware}")

    assert why_not(done.stderr, done.returncode) in {
        "Cannot load libcuda.so.1",
        "Device creation failed",
        "No VA display found for device /dev/dri/renderD128",
    }
