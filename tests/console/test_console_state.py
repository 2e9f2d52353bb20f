from datetime import timedelta

from rack_fixtures import NOW, line_up, sample, unwell, view, worker_view

from transcoder_tui.console.state import Rack
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import ChannelView, Delta, Snapshot, Telemetry


def rack_with(*channels: ChannelView) -> Rack:
    rack = Rack()
    rack.fold_snapshot(Snapshot(at=NOW, worker=worker_view(), channels=list(channels), history=[sample()], events=[]))
    return rack


def delta(*changed: ChannelView, removed: tuple[int, ...] = (), seconds: int = 1) -> Delta:
    at = NOW + timedelta(seconds=seconds)
    return Delta(at=at, changed=list(changed), removed=list(removed), system=sample(seconds), events=[])


def names(rack: Rack) -> list[str]:
    return [rack.channels[channel_id].name for channel_id in rack.shown]


def bitrate(channel_id: int, name: str, bits: float | None) -> ChannelView:
    return view(channel_id, name, telemetry=Telemetry(bitrate=bits))


def test_figures_alone_move_a_row_and_count_nothing_anew() -> None:
    rack = rack_with(*line_up())
    tally = rack.tally
    change = rack.fold_delta(delta().model_copy(update={"figures": {3: Telemetry(fps=12.5), 99: Telemetry()}}))
    assert rack.channels[3].telemetry.fps == 12.5
    assert 99 not in rack.channels
    assert rack.tally is tally
    assert not change.layout
    rack.sort_by("fps")
    before = list(rack.shown)
    change = rack.fold_delta(delta().model_copy(update={"figures": {before[0]: Telemetry(fps=99.0)}}))
    assert change.layout
    assert rack.shown != before


def test_rows_stand_in_order_of_their_names_at_first() -> None:
    assert names(rack_with(*line_up())) == ["Kids", "News HD", "Parliament", "Sport ABR", "Weather"]


def test_the_cursor_begins_on_the_first_row() -> None:
    rack = rack_with(*line_up())
    assert rack.current is not None
    assert rack.current.name == "Kids"


def test_a_channel_stored_just_now_gets_the_cursor_when_the_worker_tells_of_it() -> None:
    rack = rack_with(*line_up())
    rack.choose(9)
    assert rack.current is None
    rack.fold_delta(delta(view(9, "Music")))
    assert rack.current is not None
    assert rack.current.name == "Music"
    rack.move(1)
    assert rack.current.name == "News HD"


def test_why_no_channel_is_chosen() -> None:
    rack = rack_with(*line_up())
    assert rack.unchosen() == ""
    rack.fold_delta(delta(removed=(3,)))
    assert rack.unchosen() == "No channel is chosen: the arrow keys choose one."
    rack.narrow("nothing like it")
    assert rack.unchosen() == "No channel is chosen: the filter hides all of them, esc clears it."
    assert rack_with().unchosen() == "No channel is known yet."


def test_sorting_leaves_the_cursor_on_its_channel() -> None:
    rack = rack_with(*line_up())
    rack.move(1)
    rack.sort_by("status")
    assert rack.current is not None
    assert rack.current.name == "News HD"
    assert rack.position == names(rack).index("News HD") != 1


def test_a_refresh_that_reorders_rows_leaves_cursor_and_marks_on_their_channels() -> None:
    rack = rack_with(bitrate(1, "A", 1e6), bitrate(2, "B", 2e6), bitrate(3, "C", 3e6))
    rack.sort_by("bitrate")
    assert names(rack) == ["C", "B", "A"]
    rack.go(0)
    rack.toggle_mark()
    change = rack.fold_delta(delta(bitrate(3, "C", 0.5e6)))
    assert names(rack) == ["B", "A", "C"]
    assert rack.cursor == 3
    assert rack.marks == {3}
    assert change.layout


def test_a_row_that_goes_elsewhere_leaves_the_cursor_alone() -> None:
    rack = rack_with(*line_up())
    rack.go(3)
    rack.fold_delta(delta(removed=(3,)))
    assert rack.current is not None
    assert rack.current.name == "Sport ABR"
    assert rack.position == 2


def test_when_its_channel_vanishes_the_cursor_stands_on_none_until_it_is_moved() -> None:
    rack = rack_with(*line_up())
    rack.go(2)
    rack.fold_delta(delta(removed=(4,)))
    assert rack.current is None
    assert rack.targets() == []
    rack.move(1)
    assert rack.current is not None
    assert rack.current.name == "Sport ABR"


def test_a_channel_that_leaves_the_filter_by_itself_does_not_hand_the_cursor_to_another() -> None:
    rack = rack_with(view(1, "A"), view(2, "B"))
    rack.narrow("on air")
    rack.go(0)
    rack.fold_delta(delta(view(1, "A", Status.ERROR)))
    assert names(rack) == ["B"]
    assert rack.current is None


def test_marks_of_deleted_channels_are_forgotten() -> None:
    rack = rack_with(*line_up())
    rack.mark_shown()
    rack.fold_delta(delta(removed=(1, 2)))
    assert rack.marks == {3, 4, 5}


def test_the_filter_reads_name_group_source_and_status() -> None:
    rack = rack_with(*line_up())
    for text, found in {
        "WEATH": ["Weather"],
        "family": ["Kids"],
        "srt://": ["Kids"],
        "retrying": ["Kids"],
        "error": ["Parliament"],
        "on air": ["News HD", "Sport ABR"],
        "no such": [],
    }.items():
        rack.narrow(text)
        assert names(rack) == found, text


def test_a_filter_that_cannot_be_meant_leaves_the_one_before_in_force() -> None:
    rack = rack_with(*line_up())
    assert rack.narrow("news ") is None
    fault = rack.narrow("news cpu>")
    assert fault is not None
    assert fault.remedy == "write one, such as cpu>1"
    assert (rack.filter, names(rack)) == ("news", ["News HD", "Weather"])
    rack.fold_delta(delta(view(9, "News 24")))
    assert names(rack) == ["News 24", "News HD", "Weather"]
    rack.narrow("  ")
    assert (rack.filter, len(names(rack))) == ("", 6)


def test_filtering_keeps_marks_and_counts_the_hidden_ones() -> None:
    rack = rack_with(*line_up())
    rack.go(1)
    rack.toggle_mark()
    rack.narrow("weather")
    assert rack.hidden_marks() == 1
    assert [row.name for row in rack.targets()] == ["News HD"]


def test_actions_are_for_the_marks_and_else_for_the_cursor() -> None:
    rack = rack_with(*line_up())
    assert [row.name for row in rack.targets()] == ["Kids"]
    rack.go(4)
    rack.toggle_mark()
    rack.go(1)
    rack.toggle_mark()
    rack.go(0)
    assert [row.name for row in rack.targets()] == ["News HD", "Weather"]


def test_rows_without_a_figure_sort_last_both_ways() -> None:
    rack = rack_with(bitrate(1, "A", 1e6), bitrate(2, "B", None), bitrate(3, "C", 3e6))
    rack.sort_by("bitrate")
    assert names(rack) == ["C", "A", "B"]
    rack.sort_by("bitrate")
    assert names(rack) == ["A", "C", "B"]


def test_the_longest_uptime_comes_first_when_sorted_by_uptime() -> None:
    old = view(1, "Old", on_air_since=NOW - timedelta(days=9))
    young = view(2, "Young", on_air_since=NOW - timedelta(seconds=9))
    rack = rack_with(young, old, view(3, "Off", Status.STOPPED))
    rack.sort_by("uptime")
    assert names(rack) == ["Old", "Young", "Off"]


def test_equal_rows_stand_by_name() -> None:
    rack = rack_with(view(1, "b"), view(2, "A"), view(3, "C", Status.ERROR))
    rack.sort_by("status")
    assert names(rack) == ["C", "A", "b"]


def test_only_rows_that_changed_or_whose_clock_runs_are_drawn_again() -> None:
    rack = rack_with(*line_up())
    change = rack.fold_delta(delta())
    assert change.rows == {1, 2, 3}
    assert not change.layout


def test_history_is_bounded() -> None:
    rack = rack_with()
    for second in range(1000):
        rack.fold_delta(delta(seconds=second))
    assert len(rack.history) == 300


def test_counts_name_every_status_that_somebody_is_in() -> None:
    counts = [(word, number) for _, word, number in rack_with(*line_up()).counts()]
    assert counts == [("on air", 2), ("error", 1), ("retrying", 1), ("stopped", 1)]
    waiting = rack_with(*(view(number, "A", Status.QUEUED) for number in (1, 2))).counts()
    assert [(word, number) for _, word, number in waiting] == [("queued", 2)]


def test_those_that_are_on_air_and_not_well_are_counted_found_and_sorted_by_how_grave_it_is() -> None:
    slow, dead = unwell(1, "A", Health.TOO_SLOW), unwell(2, "B", Health.INPUT_LOST)
    rack = rack_with(slow, dead, view(3, "C"), view(4, "D", Status.ERROR))
    assert rack.tally.unwell == 2
    rack.sort_by("status")
    assert names(rack) == ["D", "B", "A", "C"]
    for text, found in {"unwell": ["B", "A"], "input lost": ["B"], "on air": ["B", "A", "C"]}.items():
        rack.narrow(text)
        assert names(rack) == found, text


def test_what_is_wrong_with_the_worker_comes_and_goes_while_connected() -> None:
    rack = rack_with()
    full = worker_view().model_copy(update={"database": "the disk is full"})
    rack.fold_delta(delta().model_copy(update={"worker": full}))
    assert rack.worker is not None
    assert rack.worker.database == "the disk is full"
    rack.fold_delta(delta(seconds=2))
    assert rack.worker.database == "the disk is full", "a worker that does not tell"
    rack.fold_delta(delta(seconds=3).model_copy(update={"worker": worker_view()}))
    assert rack.worker.database == "ok"


def test_a_new_snapshot_after_a_reconnect_keeps_cursor_and_marks() -> None:
    rack = rack_with(*line_up())
    rack.go(3)
    rack.toggle_mark()
    rack.fold_snapshot(Snapshot(at=NOW, worker=worker_view(), channels=line_up(), history=[], events=[]))
    assert rack.cursor == 2
    assert rack.marks == {2}


def test_a_range_goes_from_the_last_mark_to_the_cursor_in_the_order_of_the_table() -> None:
    rack = rack_with(*(view(number, f"C{number}") for number in range(1, 8)))
    rack.go(4)
    rack.mark_range()
    assert rack.marks == {5}, "without a mark before, the cursor's channel alone"
    rack.go(1)
    rack.mark_range()
    assert rack.marks == {2, 3, 4, 5}
    rack.sort_by("name")
    rack.go(0)
    rack.mark_range()
    assert rack.marks == {2, 3, 4, 5, 6, 7}
    rack.fold_delta(delta(removed=(7,)))
    rack.go(rack.shown.index(1))
    rack.mark_range()
    assert rack.marks == {1, 2, 3, 4, 5, 6}, "the channel where the range would begin is gone"


def test_marking_on_marks_here_and_there_and_ends_at_the_table() -> None:
    rack = rack_with(*(view(number, f"C{number}") for number in range(1, 4)))
    rack.mark_on(1)
    assert rack.marks == {1, 2}
    rack.mark_on(5)
    rack.mark_on(1)
    assert rack.marks == {1, 2, 3}
    assert rack.cursor == 3


def test_inverting_leaves_hidden_marks_alone() -> None:
    rack = rack_with(*line_up())
    rack.go(0)
    rack.toggle_mark()
    rack.narrow("Sport")
    rack.invert_marks()
    assert rack.marks == {2, 3}
    rack.invert_marks()
    assert rack.marks == {3}
