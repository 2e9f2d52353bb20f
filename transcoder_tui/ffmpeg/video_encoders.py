"""What each software encoder of pictures is told; a new codec is one entry in :data:`SOFTWARE_ENCODERS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from transcoder_tui.models.rendition import HARDWARE, Video
from transcoder_tui.models.units import size_of

LARGE_PICTURE = 1280 * 720
"""Pixels above which an encoder gets four threads instead of two."""
X264_LOOKAHEAD = {
    "ultrafast": 0,
    "superfast": 0,
    "veryfast": 10,
    "faster": 20,
    "fast": 30,
    "medium": 40,
    "slow": 50,
    "slower": 60,
    "veryslow": 60,
}
"""Frames that x264 holds back in each preset before the first one leaves (``rc-lookahead``, ``x264 --fullhelp``)."""
X265_LOOKAHEAD = {
    "ultrafast": 5,
    "superfast": 10,
    "veryfast": 15,
    "faster": 15,
    "fast": 15,
    "medium": 20,
    "slow": 25,
    "slower": 40,
    "veryslow": 40,
}
"""The same for x265 (``rc-lookahead``, x265's table of presets)."""
SVT_PRESETS = {
    "ultrafast": 10,
    "superfast": 9,
    "veryfast": 8,
    "faster": 7,
    "fast": 6,
    "medium": 5,
    "slow": 4,
    "slower": 3,
    "veryslow": 2,
}
"""SVT-AV1's presets are numbers; those above 10 are made for tests of the encoder (its ``Parameters.md``)."""
SVT_HELD = 60
"""Frames that SVT-AV1 holds back before the first one leaves: 53 in version 1.4 and 58 in 4.2, in every preset, but
none in its low delay mode (measured)."""
MPEG2_BUFFERS = ((720 * 576, 1_835_008), (1440 * 1152, 7_340_032))
"""Pixels and VBV bits of MPEG-2's main and high-1440 level (ISO/IEC 13818-2, table 8-13)."""
MPEG2_HIGH_BUFFER = 9_781_248
"""VBV bits of MPEG-2's high level."""


@dataclass(frozen=True)
class VideoEncoder:
    """How one encoder of pictures is driven."""

    name: str
    """FFmpeg's name of it."""
    options: Callable[[Video], dict[str, str]]
    """Its options, without stream specifiers."""
    held: Callable[[Video], int]
    """Frames that go in before the first one leaves."""
    hardware: str = ""
    """The interface of the hardware that does the work; empty for software."""
    pixels: tuple[str, str] = ("yuv420p", "yuv420p10le")
    """Pixel formats that it takes, for 8 and for 10 bits a sample."""
    upload: str = ""
    """The filter that hands a picture over to the hardware, where it does not take it from memory."""

    def pixel_format(self, video: Video) -> str:
        """The pixel format in which it takes a picture."""
        return self.pixels[video.bit_depth == 10]


def rate_options(video: Video) -> dict[str, str]:
    """Bitrate, ceiling and VBV buffer, as most encoders take them."""
    if video.rate == "vbr":
        return {"b": str(video.bitrate)}
    return {"b": str(video.bitrate), "maxrate": str(video.peak), "bufsize": str(_buffer(video))}


def _buffer(video: Video) -> int:
    return round(video.peak * video.vbv)


def _threads(video: Video) -> str:
    return "4" if _is_large(video) else "2"


def _is_large(video: Video) -> bool:
    """Whether a picture may be larger than :data:`LARGE_PICTURE`; one of the source's size may."""
    if video.size is None:
        return True
    width, height = size_of(video.size)
    return width * height > LARGE_PICTURE


def _x264(video: Video) -> dict[str, str]:
    """Constant closed GOPs and, as a rule, a capped bitrate.

    A VBV buffer of one second keeps a constant muxrate feasible; without ``sc_threshold 0`` x264 inserts keyframes at
    scene cuts, and the rungs of a ladder no longer switch at the same instant.
    """
    # nal-hrd=cbr fills up with NAL units of type 12.
    fixed = {"nal-hrd": "cbr", "force-cfr": "1"} if video.rate == "cbr" else {}
    return {
        "preset": video.preset,
        **({"tune": video.tune} if video.tune else {}),
        "profile": video.profile or ("high10" if video.bit_depth == 10 else "high"),
        **({"level": video.level} if video.level else {}),
        "threads": _threads(video),
        **rate_options(video),
        "g": str(video.gop_frames),
        "keyint_min": str(video.gop_frames),
        "sc_threshold": "0",
        **({"bf": str(video.bframes)} if video.bframes is not None else {}),
        "flags": "+cgop",
        **_parameters("x264-params", {**_written(video), **fixed}),
    }


def _x265(video: Video) -> dict[str, str]:
    """The same in x265's words; FFmpeg's own option for scene cuts does not reach it."""
    fixed = {
        "keyint": str(video.gop_frames),
        "min-keyint": str(video.gop_frames),
        "scenecut": "0",
        "open-gop": "0",
        "pools": _threads(video),
        "frame-threads": "2" if _is_large(video) else "1",
        "log-level": "warning",
        # strict-cbr fills up with NAL units of type 38.
        **({"strict-cbr": "1", "hrd": "1"} if video.rate == "cbr" else {}),
        **({"level-idc": video.level} if video.level else {}),
        **({"bframes": str(video.bframes)} if video.bframes is not None else {}),
    }
    return {
        "preset": video.preset,
        **({"tune": video.tune} if video.tune else {}),
        "profile": video.profile or ("main10" if video.bit_depth == 10 else "main"),
        **rate_options(video),
        **_parameters("x265-params", {**_written(video), **fixed}),
    }


def _mpeg2(video: Video) -> dict[str, str]:
    """Closed GOPs of exactly so many frames: without ``strict_gop`` a GOP ends early to close itself."""
    rate = rate_options(video)
    if video.rate == "cbr":
        rate["minrate"] = rate["maxrate"]
    if "bufsize" in rate:
        rate["bufsize"] = str(min(_buffer(video), _mpeg2_buffer(video)))
    return {
        "threads": _threads(video),
        **rate,
        "g": str(video.gop_frames),
        "sc_threshold": "1000000000",
        "bf": str(2 if video.bframes is None else video.bframes),
        "flags": "+cgop",
        "mpv_flags": "+strict_gop",
        **_written(video),
    }


def _mpeg2_buffer(video: Video) -> int:
    """The VBV buffer that a decoder of the picture's level has, in bits."""
    if video.size is None:
        return MPEG2_HIGH_BUFFER
    width, height = size_of(video.size)
    return next((bits for pixels, bits in MPEG2_BUFFERS if width * height <= pixels), MPEG2_HIGH_BUFFER)


def _svtav1(video: Video) -> dict[str, str]:
    """Keyframes that nothing refers across, and two or four threads.

    A ceiling is held by SVT-AV1's low delay mode only; its random access mode overshot five times for a second or two
    after a cut (measured, 1.4 and 3.1).
    """
    fixed = {"lp": _threads(video), "scd": "0", "irefresh-type": "2"}
    if video.rate == "capped":
        fixed |= {"rc": "2", "pred-struct": "1", "buf-sz": str(round(min(video.vbv, 10) * 1000))}
    return {
        "preset": str(SVT_PRESETS[video.preset]),
        "b": str(video.bitrate),
        "g": str(video.gop_frames),
        "flags": "+cgop",
        **_parameters("svtav1-params", {**_written(video), **fixed}),
    }


def _written(video: Video) -> dict[str, str]:
    """The rendition's own options for the software encoder, where they are for it."""
    given = {} if video.encoder in HARDWARE else video.encoder_options
    # A colon would end the value.
    return {name: value.replace(":", ",") for name, value in given.items()}


def _parameters(name: str, values: Mapping[str, str]) -> dict[str, str]:
    """Options that FFmpeg hands on to a library as one."""
    return {name: ":".join(f"{key}={value}" for key, value in values.items())} if values else {}


def _x264_held(video: Video) -> int:
    if video.tune == "zerolatency":
        return 0
    return int(_written(video).get("rc-lookahead", X264_LOOKAHEAD[video.preset])) + (video.bframes or 0)


def _x265_held(video: Video) -> int:
    if video.tune == "zerolatency":
        return 0
    return int(_written(video).get("rc-lookahead", X265_LOOKAHEAD[video.preset])) + (video.bframes or 0)


def _mpeg2_held(video: Video) -> int:
    return video.bframes or 0


def _svtav1_held(video: Video) -> int:
    return SVT_HELD if video.rate == "vbr" else 0


SOFTWARE_ENCODERS: Mapping[str, VideoEncoder] = {
    "h264": VideoEncoder("libx264", _x264, _x264_held),
    "hevc": VideoEncoder("libx265", _x265, _x265_held),
    "mpeg2": VideoEncoder("mpeg2video", _mpeg2, _mpeg2_held),
    "av1": VideoEncoder("libsvtav1", _svtav1, _svtav1_held),
}
"""The software encoder of each value of :attr:`Video.codec` but copy."""
