"""The worker's rules, apart from any process: states, retries, line-up comparison."""

from itertools import product

import pytest

from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.job import Status, Wanted
from transcoder_tui.models.lineup import ChangeKind
from transcoder_tui.models.rendition import Rendition, Video
from transcoder_tui.settings import RetrySettings
from transcoder_tui.worker.changes import plan
from transcoder_tui.worker.launch import digest
from transcoder_tui.worker.retry import probe_delay, retry_delay
from transcoder_tui.worker.states import TRANSITIONS, Happening, ImpossibleTransition, follow


def spec(name: str, **changes: object) -> ChannelSpec:
    document = {
        "name": name,
        "sources": [{"url": "test://bars"}],
        "renditions": [{"name": "r", "video": {"size": "320x180", "bitrate": "300k"}}],
        "outputs": [{"url": f"hls://{name.lower()}"}],
    }
    return ChannelSpec.model_validate({**document, **changes})


def test_only_what_the_table_names_can_happen() -> None:
    for status, happening in product(Status, Happening):
        if happening in TRANSITIONS[status]:
            assert follow(status, happening) == TRANSITIONS[status][happening]
        else:
            with pytest.raises(ImpossibleTransition):
                follow(status, happening)


def test_a_stopped_channel_can_only_be_started_or_found_running() -> None:
    assert set(TRANSITIONS[Status.STOPPED]) == {Happening.START, Happening.WAIT, Happening.ADOPT}


def test_a_running_ffmpeg_is_ended_only_through_stopping() -> None:
    assert {status for status in Status if TRANSITIONS[status].get(Happening.END) == Status.STOPPING} == {
        Status.PENDING,
        Status.RUNNING,
    }


def test_every_state_leads_back_to_stopped_and_on_air() -> None:
    for goal in (Status.STOPPED, Status.RUNNING):
        reached = {goal}
        for _ in Status:
            reached |= {state for state in Status if set(TRANSITIONS[state].values()) & reached}
        assert reached == set(Status)


def test_the_first_attempt_follows_at_once_and_the_next_ones_wait_longer_and_longer() -> None:
    settings = RetrySettings(attempts=8, max_delay_s=30)

    delays = [retry_delay(failures, settings, lambda: 1.0) for failures in range(1, 10)]

    assert delays == [0, 2, 4, 8, 16, 30, 30, 30, None]


def test_chance_shortens_a_wait_to_no_less_than_half() -> None:
    settings = RetrySettings()

    assert retry_delay(5, settings, lambda: 0.0) == 8
    assert retry_delay(5, settings, lambda: 1.0) == 16


def test_no_attempt_is_left_after_as_many_failures_as_are_set() -> None:
    assert retry_delay(5, RetrySettings(attempts=5)) is not None
    assert retry_delay(6, RetrySettings(attempts=5)) is None
    assert retry_delay(1, RetrySettings(attempts=0)) is None


def test_probes_of_a_channel_that_was_given_up_become_rarer() -> None:
    settings = RetrySettings(attempts=5, probe_s=60, probe_max_s=300)

    delays = [probe_delay(failures, settings, lambda: 1.0) for failures in range(6, 11)]

    assert delays == [60, 120, 240, 300, 300]
    assert probe_delay(100_000, settings, lambda: 0.0) == 150


def test_a_line_up_that_changes_nothing_stores_nothing() -> None:
    existing = {1: spec("One"), 2: spec("Two")}

    planned = plan(existing, list(existing.values()), prune=True)

    assert [entry.change.kind for entry in planned] == [ChangeKind.KEEP, ChangeKind.KEEP]
    assert all(entry.edit is None for entry in planned)


def test_a_line_up_creates_changes_and_deletes_by_name() -> None:
    existing = {1: spec("One"), 2: spec("Two")}

    planned = plan(existing, [spec("ONE", priority=9), spec("Three")], prune=True)

    assert [(entry.change.kind, entry.change.channel, entry.edit and entry.edit.channel_id) for entry in planned] == [
        (ChangeKind.CHANGE, "ONE", 1),
        (ChangeKind.CREATE, "Three", None),
        (ChangeKind.DELETE, "Two", 2),
    ]
    assert planned[0].change.fields == ["name", "priority"]


def test_channels_that_a_line_up_does_not_name_stay_unless_pruned() -> None:
    assert plan({1: spec("One")}, [], prune=False) == []


def test_only_a_change_that_reaches_ffmpeg_restarts() -> None:
    existing = {1: spec("One")}

    [regrouped] = plan(existing, [spec("One", group="News", priority=90, autostart=False)], prune=False)
    [resized] = plan(
        existing,
        [spec("One", renditions=[{"name": "r", "video": {"size": "640x360", "bitrate": "300k"}}])],
        prune=False,
    )

    assert regrouped.change.fields == ["priority", "autostart", "group"]
    assert not regrouped.change.restarts
    assert resized.change.fields == ["renditions[0].video.size"]
    assert resized.change.restarts


def test_a_new_channel_is_wanted_at_once_only_where_it_starts_by_itself() -> None:
    automatic, manual = plan({}, [spec("One"), spec("Two", autostart=False)], prune=False)

    assert automatic.edit is not None and automatic.edit.job is not None
    assert automatic.edit.job.wanted == Wanted.RUNNING
    assert manual.edit is not None and manual.edit.job is not None
    assert manual.edit.job.wanted == Wanted.STOPPED


def test_a_later_version_with_one_more_field_takes_a_channel_for_the_same() -> None:
    class LaterVideo(Video):
        grain: str = "none"

    class LaterRendition(Rendition):
        video: LaterVideo

    class LaterSpec(ChannelSpec):
        renditions: list[LaterRendition]  # type: ignore[assignment]
        watermark: str | None = None

    later = LaterSpec.model_validate(spec("One").document())

    assert digest(later) == digest(spec("One"))
    assert digest(spec("One", group="News", priority=1)) == digest(spec("One"))
    assert digest(spec("One", outputs=[{"url": "hls://other"}])) != digest(spec("One"))
