"""What is tried: a line for each case. Every kind of source, codec and output is in one at least."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from media_readings import Expected

from transcoder_tui.models.channel import ChannelSpec

SHORT_S = 6.0
LOOP_S = 9.0
"""The clip, and half of it again."""
LOOPS_S = 20.0
"""Three times the clip, and some: what goes wrong at each loop adds up."""
RATE_S = 33.0
"""Long enough for a bitrate over 30 s."""


@dataclass(frozen=True)
class Case:
    """A channel: its source, what it is transcoded to, where it goes, and how long it is looked at."""

    source: str
    codecs: str
    outputs: tuple[str, ...]
    seconds: float = SHORT_S
    rungs: int = 1
    quick: bool = False
    """Whether every run of the tests tries it."""

    @property
    def name(self) -> str:
        ladder = f" x{self.rungs}" if self.rungs > 1 else ""
        return f"{self.source} > {self.codecs}{ladder} > {' + '.join(self.outputs)}"


SIZES = ((480, 270, 700), (320, 180, 400), (160, 90, 150))
"""Width, height and kb/s of each rung."""

VIDEO: Mapping[str, dict[str, Any]] = {
    "h264": {},
    "h264 cbr": {"rate": "cbr"},
    "h264 main": {"profile": "main", "bframes": 2, "preset": "veryfast"},
    "hevc": {"codec": "hevc"},
    "hevc 10": {"codec": "hevc", "bit_depth": 10},
    "mpeg2": {"codec": "mpeg2", "preset": None},
    "av1": {"codec": "av1"},
    "copy": {"codec": "copy"},
}
AUDIO: Mapping[str, dict[str, Any] | None] = {
    "aac": {"codec": "aac"},
    "he-aac": {"codec": "he-aac", "bitrate": "48k"},
    "mp2": {"codec": "mp2"},
    "ac3": {"codec": "ac3"},
    "eac3": {"codec": "eac3"},
    "opus": {"codec": "opus"},
    "copy": {"codec": "copy", "bitrate": "200k"},
    "none": None,
}
PROBED = {"mpeg2": "mpeg2video", "he-aac": "aac"}
"""What ffprobe calls a codec, where that differs."""
OF_THE_PROGRAMME = {"video": "h264", "audio": "mp2"}
"""What a copy is."""
CLIP_SIZE = (480, 270)
"""Width and height of the programme's picture."""
SETTLING_S = {"rtsp": 6.0}
"""RTP streams of their own for picture and sound are put together by the first sender reports (RFC 3550, 6.4)."""
COPIED_RATE = "2000k"
"""The most that the programme's picture takes."""


def renditions(case: Case) -> list[dict[str, Any]]:
    """The renditions of a case as a line-up has them."""
    video, audio = _codecs(case)
    return [
        {"name": f"{height}p", "video": _video(VIDEO[video], width, height, rate), "audio": AUDIO[audio]}
        for width, height, rate in _sizes(case)
    ]


def expectations(case: Case, spec: ChannelSpec) -> list[Expected]:
    """What each rendition should be when it arrives."""
    video, audio = _codecs(case)
    return [
        Expected(
            video=probed(VIDEO[video] or {}, "h264", OF_THE_PROGRAMME["video"]),
            size=CLIP_SIZE if video == "copy" else (width, height),
            fps=25.0,
            audio=None if AUDIO[audio] is None else probed(AUDIO[audio] or {}, "aac", OF_THE_PROGRAMME["audio"]),
            bitrate=None if "copy" in (video, audio) else rendition.peak(0 if audio == "opus" else 1),
            sound_varies=audio == "opus",
            flashes=case.source != "test",
            settled_s=SETTLING_S.get(case.source, 0.0),
        )
        for (width, height, _), rendition in zip(_sizes(case), spec.renditions, strict=True)
    ]


def probed(fields: Mapping[str, Any], default: str, copied: str) -> str:
    """What ffprobe calls a codec."""
    codec = str(fields.get("codec", default))
    return copied if codec == "copy" else PROBED.get(codec, codec)


def _codecs(case: Case) -> tuple[str, str]:
    video, _, audio = case.codecs.partition("+")
    return video, audio


def _sizes(case: Case) -> tuple[tuple[int, int, int], ...]:
    return SIZES[1:2] if case.rungs == 1 else SIZES[: case.rungs]


def _video(fields: Mapping[str, Any], width: int, height: int, rate: int) -> dict[str, Any]:
    if fields.get("codec") == "copy":
        return {**fields, "bitrate": COPIED_RATE}
    given = {"size": f"{width}x{height}", "bitrate": f"{rate}k", "preset": "ultrafast", "gop": "1s", **fields}
    return {name: value for name, value in given.items() if value is not None}


INPUTS = (
    Case("test", "h264+aac", ("udp",)),
    Case("file", "h264+aac", ("udp",), LOOP_S, quick=True),
    Case("playlist", "h264+aac", ("udp",), LOOPS_S),
    Case("udp", "h264+aac", ("udp",)),
    Case("multicast", "h264+aac", ("multicast",), quick=True),
    Case("ssm", "h264+aac", ("udp",)),
    Case("rtp", "h264+aac", ("udp",)),
    Case("mpts, by number", "h264+aac", ("udp",)),
    Case("mpts, by name", "h264+aac", ("udp",)),
    Case("srt-caller", "h264+aac", ("udp",)),
    Case("srt-listener", "h264+aac", ("udp",)),
    Case("http-ts", "h264+aac", ("udp",)),
    Case("hls", "h264+aac", ("udp",)),
    Case("rtmp", "h264+aac", ("udp",)),
    Case("rtmp-listen", "h264+aac", ("udp",)),
    Case("rtsp", "h264+aac", ("udp",), 14.0),
)
"""Each kind of source."""

OUTPUTS = (
    Case("file", "h264+aac", ("udp, own PIDs",)),
    Case("file", "h264+aac", ("rtp",)),
    Case("file", "h264+aac", ("srt-caller",)),
    Case("file", "h264+aac", ("srt-listener",)),
    Case("file", "h264+aac", ("rtmp",)),
    Case("file", "h264+aac", ("ts",), LOOPS_S),
    Case("file", "h264+aac", ("mp4",)),
    Case("file", "h264+aac", ("mkv",)),
    Case("file", "h264+aac", ("ts, split",), 24.0),
    Case("file", "h264+aac", ("dash",), 9.0, rungs=3),
    Case("file", "h264+aac", ("hls",), 9.0, rungs=3),
    Case("file", "h264+aac", ("hls-fmp4",), 9.0, rungs=3),
    Case("file", "h264+aac", ("hls-event",), 9.0),
    Case("file", "h264+aac", ("hls-aes",), 16.0, rungs=2),
    Case("file", "h264+aac", ("udp", "hls", "rtmp", "ts"), 9.0, rungs=3, quick=True),
)
"""Each kind of output; the last one is a tee of several."""

CODECS = (
    Case("file", "h264+aac", ("udp", "hls"), RATE_S, rungs=3),
    Case("file", "h264 cbr+aac", ("udp",), RATE_S),
    Case("file", "h264 main+ac3", ("udp", "mp4"), RATE_S),
    Case("file", "hevc+eac3", ("udp", "hls-fmp4"), RATE_S),
    Case("file", "hevc 10+aac", ("udp",)),
    Case("file", "mpeg2+mp2", ("udp",), RATE_S),
    Case("file", "av1+opus", ("mp4", "hls-fmp4"), RATE_S),
    Case("udp", "copy+copy", ("udp",)),
    Case("udp", "copy+aac", ("hls",), 9.0),
    Case("file", "h264+he-aac", ("udp",)),
    Case("file", "h264+opus", ("mkv",)),
    Case("file", "h264+none", ("udp",)),
)
"""Each codec."""

CASES = (*INPUTS, *OUTPUTS, *CODECS)
