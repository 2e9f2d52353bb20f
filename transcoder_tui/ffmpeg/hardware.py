"""What hardware encoders are told, and whether this machine has them: one frame through each says it.

That an FFmpeg lists an encoder only means that it was compiled in. No hardware was at hand for this module: its
arguments follow ``ffmpeg -h encoder=…`` of 5.1 and 9.0 and FFmpeg's own documentation.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from transcoder_tui.ffmpeg.video_encoders import VideoEncoder, rate_options
from transcoder_tui.models.rendition import Video

NVENC_PRESETS = {
    "ultrafast": "p1",
    "superfast": "p2",
    "veryfast": "p3",
    "faster": "p4",
    "fast": "p4",
    "medium": "p5",
    "slow": "p6",
    "slower": "p7",
    "veryslow": "p7",
}
"""NVENC's presets, from the fastest to the best."""
HELD = 16
"""Frames that hardware works on at a time at most, without look-ahead."""
TEST_SIZE = "640x360"
"""Picture of a test; NVENC takes none below 145x49."""
_LOOKAHEAD = ("rc-lookahead", "look_ahead_depth")
_LINE = re.compile(r"^(?:\[[^\]]+ @ 0x[0-9a-f]+\] )*\[(?:error|fatal)\] (.+?)(?:: -\d+)?\.?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a test of a hardware encoder found."""

    device: str = ""
    """The device that it works on, where it has to be named."""
    fault: str = ""
    """Why it does not work; empty where it does."""


def _held(video: Video) -> int:
    given = _given(video)
    return HELD + (video.bframes or 0) + sum(int(given.get(name, 0)) for name in _LOOKAHEAD)


def _given(video: Video) -> dict[str, str]:
    """The rendition's own options, where it names its hardware."""
    return video.encoder_options if video.family == video.encoder else {}


def _common(video: Video) -> dict[str, str]:
    """Rate, closed GOPs of constant length and B-frames, which are FFmpeg's own options."""
    return {
        **rate_options(video),
        "g": str(video.gop_frames),
        **({"bf": str(video.bframes)} if video.bframes is not None else {}),
        "flags": "+cgop",
        **_given(video),
    }


def _profile(video: Video, baseline: str = "baseline") -> dict[str, str]:
    """Profile and level; AV1 has one profile for what is made here."""
    if video.codec == "av1":
        return {"level": video.level} if video.level else {}
    highest = "high" if video.codec == "h264" else "main10" if video.bit_depth == 10 else "main"
    chosen = baseline if video.profile == "baseline" else video.profile or highest
    return {"profile": chosen, **({"level": video.level} if video.level else {})}


def _nvenc(video: Video) -> dict[str, str]:
    return {
        "preset": NVENC_PRESETS[video.preset],
        **({"tune": "ll"} if video.tune == "zerolatency" else {}),
        **_profile(video),
        "rc": "cbr" if video.rate == "cbr" else "vbr",
        "no-scenecut": "1",
        "forced-idr": "1",
        **_common(video),
    }


def _qsv(video: Video) -> dict[str, str]:
    """QSV tells CBR from VBR by whether the ceiling is the bitrate."""
    fastest = video.preset in ("ultrafast", "superfast")
    return {
        "preset": "veryfast" if fastest else video.preset,
        **_profile(video),
        "forced_idr": "1",
        **({"idr_interval": "0", "adaptive_i": "0"} if video.codec == "h264" else {}),
        **_common(video),
    }


def _vaapi(video: Video) -> dict[str, str]:
    return {
        **_profile(video, "constrained_baseline"),
        "rc_mode": "CBR" if video.rate == "cbr" else "VBR",
        "idr_interval": "0",
        **_common(video),
    }


_UPLOADED = ("nv12", "p010le")
HARDWARE_ENCODERS: Mapping[str, Mapping[str, VideoEncoder]] = {
    codec: {
        "nvenc": VideoEncoder(f"{codec}_nvenc", _nvenc, _held, "nvenc", ("yuv420p", "p010le")),
        "qsv": VideoEncoder(f"{codec}_qsv", _qsv, _held, "qsv", _UPLOADED, "hwupload=extra_hw_frames=16"),
        "vaapi": VideoEncoder(f"{codec}_vaapi", _vaapi, _held, "vaapi", _UPLOADED, "hwupload"),
    }
    for codec in ("h264", "hevc", "av1")
}
"""By codec, and by the interface of the hardware."""


def device_arguments(encoder: VideoEncoder, device: str) -> tuple[str, ...]:
    """What stands before the inputs, so that filters can hand pictures over to the hardware."""
    if not encoder.upload:
        return ()
    place = f":{device}" if device else ""
    return "-init_hw_device", f"{encoder.hardware}=hw{place}", "-filter_hw_device", "hw"


def build_test(encoder: VideoEncoder, codec: str, device: str) -> tuple[str, ...]:
    """The arguments that encode one frame; FFmpeg ends with 0 where the hardware works.

    Args:
        encoder: The encoder.
        codec: What it makes, as :attr:`Video.codec` names it.
        device: The device to use; empty for whichever the driver finds.
    """
    video = Video.model_validate({"codec": codec, "encoder": encoder.hardware, "bitrate": 1_000_000, "size": TEST_SIZE})
    handed_over = ",".join(part for part in (f"format={encoder.pixel_format(video)}", encoder.upload) if part)
    return (
        *("-hide_banner", "-nostats", "-loglevel", "+level+error", *device_arguments(encoder, device)),
        *("-f", "lavfi", "-i", f"color=black:size={TEST_SIZE}:rate=25", "-frames:v", "1", "-vf", handed_over),
        *(
            "-c:v",
            encoder.name,
            *(part for name, value in encoder.options(video).items() for part in (f"-{name}:v", value)),
        ),
        *("-f", "null", "-"),
    )


def why_not(log: str, exit_code: int) -> str:
    """Why a test failed, in FFmpeg's words: the first of its errors, from which the others follow."""
    found = _LINE.search(log)
    return found[1] if found else f"a test of it ended with {exit_code}"
