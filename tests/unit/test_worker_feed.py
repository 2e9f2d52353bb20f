"""What the live stream tells, and how it goes over the wire."""

from datetime import UTC, datetime

from transcoder_tui.client.client import _MESSAGES
from transcoder_tui.models.job import Status, Wanted
from transcoder_tui.models.view import (
    FIGURES_AT_ONCE,
    ROWS_AT_ONCE,
    ChannelView,
    Delta,
    Part,
    Snapshot,
    SystemSample,
    Telemetry,
    WorkerView,
)
from transcoder_tui.worker.feed import lines
from transcoder_tui.worker.views import changes_of

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MACHINE = SystemSample(
    at=AT, cpu_percent=1.0, cores=2, load=0.1, ram_used=1, ram_total=2, disk_free=1, disk_total=2, nics=[]
)
WORKER = WorkerView(
    pid=1, socket="w.sock", version="1", uptime_s=1.0, host="rack", ffmpeg="ffmpeg", ffmpeg_version="9", data_dir="/d"
)


def row(number: int, fps: float | None = 25.0, message: str = "") -> ChannelView:
    return ChannelView(
        id=number,
        revision=1,
        name=f"Channel {number}",
        source="test://bars",
        renditions=[],
        outputs=["hls://one"],
        wanted=Wanted.RUNNING,
        status=Status.RUNNING,
        message=message,
        telemetry=Telemetry(fps=fps, output_bps=[None, 5]),
    )


def by_id(*rows: ChannelView) -> dict[int, ChannelView]:
    return {row.id: row for row in rows}


def test_of_a_row_in_which_only_figures_changed_the_figures_are_told() -> None:
    before = by_id(row(1), row(2), row(3))
    after = by_id(row(1), row(2, fps=24.0), row(3, fps=24.0, message="slow"), row(4))
    rows, figures = changes_of(before, after)
    assert [changed.id for changed in rows] == [3, 4]
    assert figures == {2: Telemetry(fps=24.0, output_bps=[None, 5])}


def heard(message: Snapshot | Delta) -> Snapshot | Delta:
    """What a client makes of it."""
    *before, last = map(_MESSAGES.validate_json, lines(message).splitlines())
    parts = [part for part in before if isinstance(part, Part)]
    assert len(parts) == len(before)
    assert all(len(part.rows) <= ROWS_AT_ONCE and len(part.figures) <= FIGURES_AT_ONCE for part in parts)
    assert not isinstance(last, Part)
    return last.joined(parts)


def test_everything_arrives_whole_although_no_line_is_long() -> None:
    snapshot = Snapshot(at=AT, worker=WORKER, channels=[row(at) for at in range(101)], history=[MACHINE], events=[])
    assert heard(snapshot) == snapshot
    delta = Delta(
        at=AT,
        worker=WORKER,
        changed=[row(at) for at in range(41)],
        figures={at: row(at, fps=None).telemetry for at in range(41, 500)},
        removed=[7],
        system=MACHINE,
        events=[],
    )
    assert heard(delta) == delta
