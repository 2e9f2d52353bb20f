"""How a run looks to those who watch it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import JobFields, Status, Wanted
from transcoder_tui.models.rendition import Rendition
from transcoder_tui.models.units import format_bitrate, format_fps
from transcoder_tui.models.view import ChannelDocument, ChannelView, JobView, Telemetry
from transcoder_tui.store.store import StoredChannel
from transcoder_tui.worker.run import ChannelRun


@dataclass(frozen=True, slots=True)
class _Words:
    """What stays the same in a row until the document changes, or the source in use."""

    spec: ChannelSpec
    source_index: int
    source: str
    renditions: list[str]
    outputs: list[str]


class Rows:
    """The rows of the channel table, a second apart for hundreds of channels.

    Args:
        max_attempts: Attempts after which a channel is given up.
    """

    def __init__(self, max_attempts: int) -> None:
        self._max_attempts = max_attempts
        self._words: dict[int, _Words] = {}

    def all(self, runs: Sequence[ChannelRun], now: float) -> list[ChannelView]:
        """A row for each run.

        Args:
            runs: The channels.
            now: Monotonic seconds.
        """
        rows = [self._row(run, now) for run in runs]
        if len(self._words) > len(rows):
            there = {row.id for row in rows}
            self._words = {key: words for key, words in self._words.items() if key in there}
        return rows

    def _row(self, run: ChannelRun, now: float) -> ChannelView:
        spec, job, alarms, words = run.spec, run.job, run.alarms, self._words_of(run)
        message, remedy = run.complaint()
        # Constructed without validation: every value comes from a validated model or from ourselves.
        return ChannelView.model_construct(
            id=run.id,
            revision=run.revision,
            name=spec.name,
            group=spec.group,
            priority=spec.priority,
            source=words.source,
            interface=spec.sources[words.source_index].interface,
            source_index=words.source_index,
            sources=len(spec.sources),
            renditions=words.renditions,
            outputs=words.outputs,
            wanted=job.wanted,
            status=job.status,
            since=job.since,
            on_air_since=job.on_air_since,
            pid=job.pid,
            attempt=min(job.attempt, self._max_attempts),
            max_attempts=self._max_attempts,
            next_retry_at=job.next_retry_at,
            restarts=job.restarts,
            message=message,
            remedy=remedy,
            health=alarms[0].health if alarms else Health.OFF_AIR if _is_missing(job) else Health.OK,
            alarms=alarms,
            pinned=job.pinned,
            gap_s=job.gap_s,
            limits=run.limits,
            encoders=run.encoders,
            telemetry=run.figures(now),
        )

    def _words_of(self, run: ChannelRun) -> _Words:
        known = self._words.get(run.id)
        if known is not None and known.spec is run.spec and known.source_index == run.source_index:
            return known
        self._words[run.id] = _Words(
            spec=run.spec,
            source_index=run.source_index,
            source=run.spec.sources[run.source_index].address.masked,
            renditions=[rendition_words(rendition) for rendition in run.spec.renditions],
            outputs=[output.address.masked for output in run.spec.outputs],
        )
        return self._words[run.id]


def changes_of(
    before: Mapping[int, ChannelView], after: Mapping[int, ChannelView]
) -> tuple[list[ChannelView], dict[int, Telemetry]]:
    """The rows that differ, and the figures of those in which nothing else does.

    Args:
        before: Rows by id, as they were told last.
        after: Rows by id as they are.
    """
    rows: list[ChannelView] = []
    figures: dict[int, Telemetry] = {}
    for channel_id, row in after.items():
        told = vars(before[channel_id]) if channel_id in before else {}
        if told == vars(row):
            continue
        if {**told, "telemetry": row.telemetry} == vars(row):
            figures[channel_id] = row.telemetry
        else:
            rows.append(row)
    return rows, figures


def _is_missing(job: JobFields) -> bool:
    """Whether a channel is off air for a failure, such as between two attempts."""
    return job.wanted == Wanted.RUNNING and job.status != Status.RUNNING and bool(job.error)


def job_view(run: ChannelRun) -> JobView:
    """A channel's job as the API shows it."""
    return JobView(id=run.id, channel=run.spec.name, **run.job.model_dump())


def document(channel: ChannelRun | StoredChannel) -> ChannelDocument:
    """A stored channel as the API shows it."""
    return ChannelDocument(id=channel.id, revision=channel.revision, spec=channel.spec.document())


def rendition_words(rendition: Rendition) -> str:
    """A rung in a few words: ``1080p 1920x1080 25 fps 5000k``; its codec where it is not H.264."""
    video = rendition.video
    if video.is_copy:
        return f"{rendition.name} copy"
    codec = "" if video.codec == "h264" else f"{video.codec} "
    size = video.size or "source size"
    return f"{rendition.name} {codec}{size} {format_fps(video.fps)} fps {format_bitrate(video.bitrate)}"
