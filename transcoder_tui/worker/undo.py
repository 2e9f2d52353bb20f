"""How a change of channels is taken back."""

from datetime import UTC, datetime

from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import EventFields, EventKind
from transcoder_tui.models.faults import parse
from transcoder_tui.models.job import JobFields, Wanted
from transcoder_tui.models.lineup import ChangeKind
from transcoder_tui.models.undo import PastChange
from transcoder_tui.store.store import Edit, Step
from transcoder_tui.worker.changes import changed_fields
from transcoder_tui.worker.run import ChannelRun


def past_change(step: Step, run: ChannelRun | None) -> PastChange:
    """What was done to one channel.

    Args:
        step: The same as the store knows it.
        run: The channel; None where it was deleted.
    """
    both = step.before is not None and step.after is not None
    kind = ChangeKind.CHANGE if both else ChangeKind.CREATE if step.before is None else ChangeKind.DELETE
    on_air = run is not None and run.job.wanted == Wanted.RUNNING
    return PastChange(
        channel_id=step.channel_id,
        channel=str((step.after or step.before or {}).get("name", "")),
        kind=kind,
        fields=changed_fields(step.before, step.after) if both else [],
        before=step.before,
        after=step.after,
        on_air=on_air,
        restarts=on_air and run is not None and (step.before is None or _reaches_ffmpeg(run.spec, step.before)),
    )


def way_back(step: Step) -> Edit:
    """The edit that takes a change back.

    Raises:
        InvalidInput: Where the document from before is not accepted any more.
    """
    if step.before is None:
        return Edit(step.channel_id, None, step.revision)
    spec = parse(ChannelSpec, step.before)
    if step.after is not None:
        return Edit(step.channel_id, spec, step.revision)
    generation = 1 if step.wanted is Wanted.RUNNING else 0
    return Edit(step.channel_id, spec, job=JobFields(wanted=step.wanted, generation=generation), revives=True)


def event(change: PastChange, actor: str) -> EventFields:
    """What the history says of it."""
    done = {ChangeKind.CREATE: "creation", ChangeKind.DELETE: "deletion"}
    what = done.get(change.kind, f"change of {', '.join(change.fields)}")
    return EventFields(
        at=datetime.now(UTC),
        kind=EventKind.UNDONE,
        channel_id=change.channel_id,
        channel=change.channel,
        message=f"undone: {what}",
        actor=actor,
    )


def _reaches_ffmpeg(present: ChannelSpec, before: dict[str, object]) -> bool:
    try:
        return parse(ChannelSpec, before).on_air_part() != present.on_air_part()
    except InvalidInput:
        return True
