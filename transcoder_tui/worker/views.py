"""How a run looks to those who watch it."""

from transcoder_tui.models.health import Health
from transcoder_tui.models.rendition import Rendition
from transcoder_tui.models.units import format_bitrate, format_fps
from transcoder_tui.models.view import ChannelDocument, ChannelView, JobView
from transcoder_tui.store.store import StoredChannel
from transcoder_tui.worker.run import ChannelRun


def channel_view(run: ChannelRun, max_attempts: int, now: float) -> ChannelView:
    """One row of the channel table.

    Args:
        run: The channel's run.
        max_attempts: Attempts after which it is given up.
        now: Monotonic seconds.
    """
    spec, job = run.spec, run.job
    source, alarms = spec.sources[run.source_index], run.alarms
    message, remedy = run.complaint()
    return ChannelView(
        id=run.id,
        revision=run.revision,
        name=spec.name,
        group=spec.group,
        priority=spec.priority,
        source=source.address.masked,
        interface=source.interface,
        source_index=run.source_index,
        sources=len(spec.sources),
        renditions=[rendition_words(rendition) for rendition in spec.renditions],
        outputs=[output.address.masked for output in spec.outputs],
        wanted=job.wanted,
        status=job.status,
        since=job.since,
        on_air_since=job.on_air_since,
        pid=job.pid,
        attempt=min(job.attempt, max_attempts),
        max_attempts=max_attempts,
        next_retry_at=job.next_retry_at,
        restarts=job.restarts,
        message=message,
        remedy=remedy,
        health=alarms[0].health if alarms else Health.OK,
        alarms=alarms,
        pinned=job.pinned,
        gap_s=job.gap_s,
        telemetry=run.figures(now),
    )


def job_view(run: ChannelRun) -> JobView:
    """A channel's job as the API shows it."""
    return JobView(id=run.id, channel=run.spec.name, **run.job.model_dump())


def document(channel: ChannelRun | StoredChannel) -> ChannelDocument:
    """A stored channel as the API shows it."""
    return ChannelDocument(id=channel.id, revision=channel.revision, spec=channel.spec.document())


def rendition_words(rendition: Rendition) -> str:
    """A rung in a few words: ``1080p 1920x1080 25 fps 5000k``."""
    video = rendition.video
    return f"{rendition.name} {video.size} {format_fps(video.fps)} fps {format_bitrate(video.bitrate)}"
