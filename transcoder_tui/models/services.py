"""What the transport streams of one channel share, because one FFmpeg writes them all."""

from collections.abc import Iterable, Sequence

from transcoder_tui.models.faults import refuse
from transcoder_tui.models.output import HIGHEST_PID, Output

BESIDE = 16
"""PIDs kept free behind the sounds where subtitles or data are copied: their number is known only on air."""


def check_services(outputs: Sequence[Output], rungs: Sequence[str], followers: int) -> None:
    """Refuses names and PIDs that FFmpeg cannot give to the transport streams of one channel.

    It has one name and one provider of a service for all of a command's outputs: what one gives holds for all. It
    numbers the streams of each output from a PID on; a picture's PID apart from these is the same in every output that
    carries the picture.

    Args:
        outputs: All outputs of the channel.
        rungs: Name of the first rendition that each carries.
        followers: How many streams follow the picture: sounds, subtitles and data.

    Raises:
        PydanticCustomError: Naming the field, what is wrong and what would be right.
    """
    streams = [(index, output, rungs[index]) for index, output in enumerate(outputs) if output.is_transport_stream]
    for index, output, _ in streams:
        _check_pids(output, followers, f"outputs[{index}]")
    _check_same([(f"outputs[{index}].service_name", output.service_name) for index, output, _ in streams])
    _check_same([(f"outputs[{index}].service_provider", output.service_provider) for index, output, _ in streams])
    _check_pictures(streams)


def _check_same(named: Iterable[tuple[str, str | None]]) -> None:
    """Refuses two different names; an output that gives none takes what another one gives."""
    given = [(field, name) for field, name in named if name]
    for field, name in given[1:]:
        if name != given[0][1]:
            raise refuse(
                f"{name!r} differs from {given[0][1]!r} of another output, and FFmpeg writes one for all of a channel",
                "write the same in every output, or send the other one from a channel of its own",
                field,
            )


def _check_pids(output: Output, followers: int, where: str) -> None:
    pids = output.pids
    last = pids.audio + followers - 1
    if last > HIGHEST_PID:
        raise refuse(
            f"sounds, subtitles and data from {pids.audio:#x} on do not fit",
            f"write {HIGHEST_PID - followers + 1:#x} or less",
            f"{where}.audio_pid",
        )
    for field, pid in (("video_pid", pids.video), ("pmt_pid", pids.pmt)):
        if pids.audio <= pid <= last:
            raise refuse(
                f"{pid:#x} is one of {pids.audio:#x} to {last:#x}, which sounds, subtitles and data take",
                "write one outside of them, or move audio_pid",
                f"{where}.{field}",
            )


def _check_pictures(streams: Iterable[tuple[int, Output, str]]) -> None:
    """Refuses one picture under two PIDs where one of them is apart from those of the sounds."""
    seen: dict[str, list[Output]] = {}
    for index, output, rung in streams:
        others = seen.setdefault(rung, [])
        for other in others:
            if output.pids.video != other.pids.video and (output.pids.is_apart or other.pids.is_apart):
                raise refuse(
                    f"the picture of {rung} has PID {other.pids.video:#x} in another output",
                    "write the same video_pid in both, or let each audio_pid follow its video_pid",
                    f"outputs[{index}].video_pid",
                )
        others.append(output)
