"""One filter graph per channel: the picture is decoded and deinterlaced once, then scaled for each rung."""

from collections.abc import Iterator
from fractions import Fraction

from transcoder_tui.ffmpeg.plan import Plan
from transcoder_tui.models.rendition import Rendition
from transcoder_tui.models.units import frame_rate, size_of

FILTER_THREADS = ("-filter_threads", "1", "-filter_complex_threads", "1")
"""Automatic thread counts grow with the machine's cores: 272 threads and 2 GB for one 1080p rung were measured."""


def build_filters(plan: Plan, video: str, audio: str) -> str:
    """The graph for ``-filter_complex``; its ends are ``[v0]``, ``[v1]`` … and ``[a0]``, ``[a1]`` ….

    Every rung is forced to progressive 8-bit 4:2:0 with square pixels: 10-bit and 4:2:2 sources would otherwise end
    the H.264 encoder's high profile. Rungs of one frame rate share one ``fps`` filter, so that a GOP of so many frames
    begins at the same instant on each of them.

    Args:
        plan: The streams to make.
        video: The input's picture, such as ``0:v:0``.
        audio: The input's sound, such as ``0:a:0``.
    """
    chains = list(_pictures(plan, video))
    if plan.audios:
        labels = [f"[a{number}]" for number in range(len(plan.audios))]
        chains.append(f"[{audio}]aresample=async=1:first_pts=0{_split('asplit', labels)}")
    return ";".join(chains)


def _pictures(plan: Plan, video: str) -> Iterator[str]:
    rates: dict[Fraction, list[Rendition]] = {}
    for rendition in plan.renditions:
        rates.setdefault(frame_rate(rendition.video.fps), []).append(rendition)
    deinterlaced = f"[{video}]yadif=deint=interlaced"
    if len(rates) > 1:
        labels = [f"[r{number}]" for number in range(len(rates))]
        yield deinterlaced + _split("split", labels)
        heads = labels
    else:
        heads = [f"{deinterlaced},"]
    for head, (rate, renditions) in zip(heads, rates.items(), strict=True):
        numbers = [plan.video(rendition) for rendition in renditions]
        yield f"{head}fps={rate}" + _split("split", [f"[s{number}]" for number in numbers])
        for number, rendition in zip(numbers, renditions, strict=True):
            width, height = size_of(rendition.video.size)
            yield f"[s{number}]scale={width}:{height},format=yuv420p,setsar=1[v{number}]"


def _split(name: str, labels: list[str]) -> str:
    return (f",{name}={len(labels)}" if len(labels) > 1 else "") + "".join(labels)
