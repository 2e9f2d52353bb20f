"""Which of a channel's sources is read, and what is told of it."""

from typing import Any

from transcoder_tui.ffmpeg.diagnosis import Diagnosis
from transcoder_tui.ffmpeg.side import Side
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import JobFields, Status
from transcoder_tui.settings import SourceSettings
from transcoder_tui.worker.failover import Failover
from transcoder_tui.worker.health import Trouble


def active(job: JobFields, spec: ChannelSpec) -> int:
    """Position of the source in use; the document may have fewer by now."""
    return job.active_source if job.active_source < len(spec.sources) else 0


def following(job: JobFields, spec: ChannelSpec) -> int:
    """Position of the source for the next start."""
    chosen = job.active_source if job.next_source is None else job.next_source
    return chosen if chosen < len(spec.sources) else 0


def after_failure(job: JobFields, spec: ChannelSpec, diagnosis: Diagnosis, failures: int) -> dict[str, Any]:
    """What a failure changes in a job: another source does not help against what is no fault of the source.

    Args:
        job: As it is.
        spec: The channel.
        diagnosis: Why it failed.
        failures: Consecutive failures, this one included; from the second on, the diagnosis is not trusted any more.
    """
    innocent = diagnosis.side not in (Side.SOURCE, Side.UNKNOWN) and failures == 1
    if len(spec.sources) == 1 or innocent:
        return {}
    return {"next_source": (active(job, spec) + 1) % len(spec.sources), "pinned": False}


def to_test(job: JobFields, spec: ChannelSpec, settings: SourceSettings) -> list[int]:
    """The better sources that are to be tested while a backup is on air."""
    if job.status != Status.RUNNING or job.pinned or not settings.return_after_s:
        return []
    return list(range(active(job, spec)))


def on_backup(job: JobFields, spec: ChannelSpec, settings: SourceSettings, failover: Failover) -> list[Trouble]:
    """That a channel is not on its primary source, and how it gets back to it."""
    index = active(job, spec)
    if index == 0 or job.status != Status.RUNNING:
        return []
    message = f"on source {index + 1} of {len(spec.sources)}, {spec.sources[index].address.masked}"
    if job.pinned:
        return [Trouble(Health.ON_BACKUP, f"{message}, as ordered", "order source 1 to return")]
    if not settings.return_after_s:
        return [Trouble(Health.ON_BACKUP, message, "order source 1 when it is good again")]
    needed = failover.needed_s(0)
    return [Trouble(Health.ON_BACKUP, message, f"returns by itself when source 1 has been good for {needed:g} s")]
