"""The options of encoders that a rendition may set beyond its own fields.

Only what changes how a picture looks and what it costs is here. Left out is whatever names a file (``stats``,
``dump-yuv``, ``qpfile``), and whatever other fields or the ladder decide: rate, GOP, threads.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from transcoder_tui.models.faults import refuse

_NUMBER = re.compile(r"-?\d{1,5}(?:\.\d{1,3})?")
_PAIR = re.compile(r"-?\d{1,2}(?:[:,]-?\d{1,2})?")


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a range, both ends included."""

    low: float
    high: float
    whole: bool = True

    def accepts(self, value: str) -> bool:
        """Whether an encoder would take the value."""
        if not _NUMBER.fullmatch(value) or (self.whole and "." in value):
            return False
        return self.low <= float(value) <= self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Words:
    """One of a few words."""

    words: tuple[str, ...]

    def accepts(self, value: str) -> bool:
        """Whether an encoder would take the value."""
        return value in self.words

    def __str__(self) -> str:
        return ", ".join(self.words)


@dataclass(frozen=True, slots=True)
class Pair:
    """One or two small whole numbers, such as the strengths of a deblocking filter."""

    def accepts(self, value: str) -> bool:
        """Whether an encoder would take the value."""
        return _PAIR.fullmatch(value) is not None and all(abs(int(part)) <= 6 for part in re.split("[:,]", value))

    def __str__(self) -> str:
        return "one or two numbers from -6 to 6, such as -1,-1"


SWITCH = Words(("0", "1"))
_ME = Words(("dia", "hex", "umh", "esa", "tesa"))
_STRENGTH = Number(0, 3, whole=False)

OPTIONS: Mapping[str, Mapping[str, Number | Words | Pair]] = {
    # x264 --fullhelp
    "x264": {
        "aq-mode": Number(0, 3),
        "aq-strength": _STRENGTH,
        "b-adapt": Number(0, 2),
        "b-bias": Number(-100, 100),
        "b-pyramid": Words(("none", "strict", "normal")),
        "8x8dct": SWITCH,
        "cabac": SWITCH,
        "chroma-qp-offset": Number(-12, 12),
        "deblock": Pair(),
        "dct-decimate": SWITCH,
        "direct": Words(("none", "spatial", "temporal", "auto")),
        "fast-pskip": SWITCH,
        "ipratio": Number(1, 10, whole=False),
        "mbtree": SWITCH,
        "me": _ME,
        "merange": Number(4, 64),
        "mixed-refs": SWITCH,
        "nr": Number(0, 10000),
        "pbratio": Number(1, 10, whole=False),
        "psy": SWITCH,
        "qcomp": Number(0, 1, whole=False),
        "qpmax": Number(0, 81),
        "qpmin": Number(0, 69),
        "qpstep": Number(1, 69),
        "rc-lookahead": Number(0, 250),
        "ref": Number(1, 16),
        "subme": Number(0, 11),
        "trellis": Number(0, 2),
        "weightb": SWITCH,
        "weightp": Number(0, 2),
    },
    # x265 --fullhelp
    "x265": {
        "amp": SWITCH,
        "aq-mode": Number(0, 4),
        "aq-strength": _STRENGTH,
        "b-adapt": Number(0, 2),
        "b-intra": SWITCH,
        "b-pyramid": SWITCH,
        "cbqpoffs": Number(-12, 12),
        "crqpoffs": Number(-12, 12),
        "ctu": Words(("16", "32", "64")),
        "cutree": SWITCH,
        "deblock": Pair(),
        "early-skip": SWITCH,
        "ipratio": Number(1, 10, whole=False),
        "max-merge": Number(1, 5),
        "me": Words(("dia", "hex", "umh", "star", "sea", "full")),
        "merange": Number(4, 64),
        "nr-inter": Number(0, 2000),
        "nr-intra": Number(0, 2000),
        "pbratio": Number(1, 10, whole=False),
        "psy-rd": Number(0, 5, whole=False),
        "psy-rdoq": Number(0, 50, whole=False),
        "qcomp": Number(0.5, 1, whole=False),
        "qpmax": Number(0, 69),
        "qpmin": Number(0, 69),
        # More than the B-frames in a row, else x265 does not start.
        "rc-lookahead": Number(17, 250),
        "rd": Number(1, 6),
        "rdoq-level": Number(0, 2),
        "rect": SWITCH,
        # Beyond, x265 refuses what no level of HEVC has (measured with 3.5).
        "ref": Number(1, 6),
        "sao": SWITCH,
        "signhide": SWITCH,
        "strong-intra-smoothing": SWITCH,
        "subme": Number(0, 7),
        "weightb": SWITCH,
        "weightp": SWITCH,
    },
    # ffmpeg -h encoder=mpeg2video
    "mpeg2": {
        "dc": Number(8, 10),
        "intra_vlc": SWITCH,
        "mbd": Words(("simple", "bits", "rd")),
        "qmax": Number(2, 31),
        "qmin": Number(1, 31),
        "trellis": Number(0, 2),
    },
    # SVT-AV1's Parameters.md
    "svtav1": {
        "enable-cdef": SWITCH,
        "enable-dlf": SWITCH,
        "enable-restoration": SWITCH,
        "film-grain": Number(0, 50),
        "max-qp": Number(1, 63),
        "min-qp": Number(1, 62),
        "scm": Number(0, 2),
        "tile-columns": Number(0, 4),
        "tile-rows": Number(0, 6),
        "tune": Number(0, 2),
    },
    # ffmpeg -h encoder=h264_nvenc
    "nvenc": {
        "aq-strength": Number(1, 15),
        "b_ref_mode": Words(("disabled", "each", "middle")),
        "multipass": Words(("disabled", "qres", "fullres")),
        "rc-lookahead": Number(0, 32),
        "spatial-aq": SWITCH,
        "temporal-aq": SWITCH,
        "weighted_pred": SWITCH,
    },
    # ffmpeg -h encoder=h264_qsv
    "qsv": {
        "adaptive_b": SWITCH,
        "adaptive_i": SWITCH,
        "extbrc": SWITCH,
        "look_ahead_depth": Number(0, 100),
        "low_power": SWITCH,
        "mbbrc": SWITCH,
        "refs": Number(1, 16),
    },
    # ffmpeg -h encoder=h264_vaapi
    "vaapi": {"low_power": SWITCH, "quality": Number(0, 32), "refs": Number(1, 16)},
}
"""By encoder, the names of its options, and what each may be."""

Family = Literal["x264", "x265", "mpeg2", "svtav1", "nvenc", "qsv", "vaapi"]


def parse_options(text: str) -> dict[str, str]:
    """The options that a valid text names: ``aq-mode=3 ref=4``."""
    return dict(pair.split("=", 1) for pair in text.split())


def check_options(family: str, text: str, field: str) -> None:
    """Refuses what is not on the list of an encoder, or has a value that it does not take.

    Args:
        family: The encoder, a key of :data:`OPTIONS`.
        text: The options, as :func:`parse_options` reads them.
        field: The field to blame.

    Raises:
        PydanticCustomError: Naming the option and what would be right.
    """
    known = OPTIONS[family]
    for name, value in parse_options(text).items():
        if name not in known:
            raise refuse(f"{name} is no option of {family} that is allowed here", f"choose {', '.join(known)}", field)
        if not known[name].accepts(value):
            raise refuse(f"{family} has no {name}={value}", f"write {known[name]}", field)
