"""``doctor --bench``: measures what this machine encodes, shows it and keeps it. Looks itself, without a worker."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from transcoder_tui.cli.exit_codes import ExitCode
from transcoder_tui.cli.output import complain, say, write_json
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import HostFault, NoWorker
from transcoder_tui.ffmpeg.binary import find_binary
from transcoder_tui.host.checks import check_directory
from transcoder_tui.models.job import Status
from transcoder_tui.settings import Settings
from transcoder_tui.worker.capacity import Step, keep, measure

SHOWN_FPS = 25
"""Frame rate for which the cores of each line are told."""
BUSY = 0.25
"""Share of the cores that others may use before the figures are doubted."""


def measure_machine(settings: Settings, *, as_json: bool) -> ExitCode:
    """Measures, with a line for each encoder, preset and size, and keeps the result.

    Raises:
        HostFault: Where FFmpeg does not work, or the result cannot be kept.
    """
    place = check_directory("data directory", settings.data_dir)
    if place.ok is False:
        raise HostFault(place.finding, place.remedy)
    binary = find_binary(settings.ffmpeg.path)
    on_air = asyncio.run(_on_air(settings))
    if on_air:
        complain(
            f"{on_air} channel{'' if on_air == 1 else 's'} on air: the measurement yields to them, so it takes longer, "
            "and its figures come out somewhat too high. Best is a machine at rest."
        )
    if not as_json:
        say(f"FFmpeg {binary.version} on this machine; a minute or two. Ctrl-C ends it and changes nothing.", "quiet")
    tell = complain if as_json else say
    with _interruptible():
        capacity = measure(binary, lambda step: tell(_line(step)))
    keep(capacity, settings.capacity)
    if as_json:
        write_json(capacity.model_dump(mode="json"))
        return ExitCode.OK
    if capacity.busy > BUSY * capacity.cores:
        say(
            f"Other programs used {capacity.busy:.1f} of {capacity.cores} cores meanwhile: figures may be too high.",
            "warning",
        )
    say(f"Kept in {settings.capacity}. The form and 'apply --dry-run' tell from it what channels cost.")
    return ExitCode.OK


async def _on_air(settings: Settings) -> int:
    """How many channels are on air; none where no worker answers."""
    try:
        async with WorkerClient(settings.socket) as client:
            return sum(job.status is Status.RUNNING for job in await client.jobs())
    except NoWorker:
        return 0


@contextmanager
def _interruptible() -> Iterator[None]:
    """Lets a closed terminal and SIGTERM end the work as Ctrl-C does, which leaves nothing behind."""
    before = {order: signal.signal(order, _interrupt) for order in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for order, handler in before.items():
            signal.signal(order, handler)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _line(step: Step) -> str:
    fps = f"{step.fps:>7.1f} fps" if step.fps is not None else " " * 11
    cores = step.cpu_ms * SHOWN_FPS / 1000
    return (
        f"{step.number:>2} of {step.total}  {step.what:<30}  {fps}  "
        f"{step.cpu_ms:>7.1f} ms of CPU a frame, {cores:.2f} cores at {SHOWN_FPS} fps"
    )
