"""Formats, columns, sparklines, log lines, questions: the pure parts of the console."""

from datetime import timedelta

import pytest
from rack_fixtures import NOW, line_up, unwell, view, worker_view
from rich.cells import cell_len
from rich.style import Style

from transcoder_tui.client.outlook import next_step, outlook
from transcoder_tui.console import format as written
from transcoder_tui.console.actions import actions_for, shown_key
from transcoder_tui.console.columns import GAP, GUTTER, instead_of_figures, lay_out
from transcoder_tui.console.log_line import read_line
from transcoder_tui.console.machine_lines import COSTS
from transcoder_tui.console.orders import question
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.console.screens.main import MainScreen
from transcoder_tui.console.sources import question as source_question
from transcoder_tui.console.sources import refusal
from transcoder_tui.console.state import SORT_KEYS
from transcoder_tui.console.status import mark_of
from transcoder_tui.console.theme import needs_sixteen
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.fault_line import arranged
from transcoder_tui.console.widgets.key_bar import footer_actions
from transcoder_tui.console.widgets.notice import worker_faults
from transcoder_tui.console.widgets.sparkline import BLOCKS, sparkline
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        (None, "–"),  # noqa: RUF001
        (0, "0"),
        (499, "0"),
        (92_400, "92k"),
        (999_400, "999k"),
        (999_900, "1.00M"),
        (6_500_000, "6.50M"),
        (12_345_678, "12.3M"),
        (999_949_000, "1.00G"),
        (1_204_000_000, "1.20G"),
    ],
)
def test_bitrates_keep_to_five_characters(bits: float | None, text: str) -> None:
    assert written.bitrate(bits) == text
    assert len(text) <= 5


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, "0B"), (512 * 1024**2, "512M"), (6_657_199_309, "6.2G"), (227_633_266_688, "212G"), (2 * 1024**4, "2.0T")],
)
def test_sizes_are_binary_as_df_shows_them(octets: int, text: str) -> None:
    assert written.size(octets) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0s"), (45, "45s"), (725, "12m 05s"), (15_120, "4h 12m"), (273_600, "3d 04h"), (8_640_000, "100d 00h")],
)
def test_durations_are_their_two_largest_units(seconds: float, text: str) -> None:
    assert written.duration(seconds) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (9999, "9999"), (12_000, "12.0k"), (3_400_000, "3.40M")])
def test_counters_keep_to_five_characters(number: int, text: str) -> None:
    assert written.count(number) == text


def test_every_terminal_width_gets_columns_that_fit() -> None:
    for width in range(20, 300):
        placed = lay_out(width)
        assert GUTTER + sum(column.width + GAP for column in placed) - GAP <= max(width, 12), width


def test_eighty_columns_hold_everything_that_a_channel_is_known_by() -> None:
    shown = [placed.column.key for placed in lay_out(80)]
    assert shown == ["status", "name", "fps", "speed", "bitrate", "drops", "restarts", "uptime", "source"]


def test_narrow_terminals_keep_status_and_name_longest() -> None:
    assert [placed.column.key for placed in lay_out(30)] == ["status", "name"]


def test_every_column_that_can_be_sorted_has_a_key() -> None:
    sorts = {
        scope: {action.name.partition("-")[2] for action in actions_for(scope) if action.name.startswith("sort-")}
        for scope in ("channels", "system")
    }
    assert sorts == {"channels": set(SORT_KEYS), "system": set(COSTS)}


def test_cut_texts_fill_their_cells_exactly() -> None:
    for text in ("", "News", "News HD International", "東京放送テレビ", "Первый канал", "e\u0301" * 20, "日"):
        for width in range(12):
            assert cell_len(fit(text, width)) == width, (text, width)
            assert cell_len(fit(text, width, "right")) == width, (text, width)


def test_a_cut_text_says_so() -> None:
    assert fit("News HD International", 10) == "News HD I…"


def test_neighbours_of_one_style_become_one_segment() -> None:
    style = Style(bold=True)
    assert len(list(line([("a", style), ("b", style), ("", Style()), ("c", style)], 3, Style()))) == 1


def test_a_sparkline_has_its_newest_value_at_the_right() -> None:
    assert sparkline([0, 50, 100], 5, 100) == f"  {BLOCKS[0]}{BLOCKS[4]}{BLOCKS[7]}"
    assert sparkline([100] * 9 + [0], 3, 100) == f"{BLOCKS[7]}{BLOCKS[7]}{BLOCKS[0]}"


def test_a_sparkline_survives_values_beyond_its_scale() -> None:
    assert sparkline([-5, 1e12], 2, 100) == BLOCKS[0] + BLOCKS[7]
    assert sparkline([1], 1, 0) == BLOCKS[0]
    assert sparkline([1], 0, 1) == ""


def test_a_log_line_is_taken_apart() -> None:
    parsed = read_line("2026-11-22T14:15:16.123Z WARNING [mpegts @ 0x5] Packet corrupt")
    assert (parsed.time, parsed.level, parsed.tone, parsed.text) == (
        "14:15:16",
        "WARNING",
        "warn",
        "[mpegts @ 0x5] Packet corrupt",
    )


def test_a_line_in_another_form_is_shown_as_it_is() -> None:
    parsed = read_line("frame= 12 fps=25")
    assert (parsed.time, parsed.level, parsed.text) == ("", "", "frame= 12 fps=25")


def test_every_status_has_a_glyph_and_a_word() -> None:
    marks = [mark_of(view(1, "A", status)) for status in Status]
    assert len({mark.glyph for mark in marks}) == len(marks)
    assert len({mark.word for mark in marks}) == len(marks)
    assert "unknown" not in {mark.word for mark in marks}


def test_a_channel_that_is_on_air_but_not_well_looks_different() -> None:
    well, slow = mark_of(view(1, "A")), mark_of(unwell(1, "A", Health.TOO_SLOW))
    assert (well.text, slow.text) == ("● on air", "▲ too slow")
    assert slow.rank < well.rank


def test_a_channel_out_of_which_nothing_comes_has_another_colour_than_one_that_only_complains() -> None:
    tones = {health: mark_of(unwell(1, "A", health)).tone for health in Health if health is not Health.OK}
    assert tones[Health.INPUT_LOST] == tones[Health.PROCESS_STOPPED] == tones[Health.ENCODER_STUCK] == "bad"
    assert tones[Health.ON_BACKUP] == tones[Health.TOO_SLOW] == tones[Health.OUTPUT_FROZEN] == "warn"


def test_the_health_that_an_operator_meets_most_is_read_whole_at_eighty_columns() -> None:
    width = lay_out(80)[0].width
    for health in (Health.INPUT_LOST, Health.TOO_SLOW, Health.DISK_FULL, Health.NO_CARRIER):
        assert cell_len(mark_of(unwell(1, "A", health)).text) <= width
    cut = {fit(mark_of(unwell(1, "A", health)).text, width) for health in Health if health is not Health.OK}
    assert len(cut) == len(Health) - 1, "what is cut can still be told apart"


def test_a_table_of_two_hundred_columns_has_room_for_every_health() -> None:
    width = lay_out(200)[0].width
    assert all(cell_len(mark_of(unwell(1, "A", health)).text) <= width for health in Health)


class TestOutlook:
    def test_the_next_retry_is_counted_down_to(self) -> None:
        kids = line_up()[2]
        assert outlook(kids, NOW) == "next retry in 12 s (3 of 5)"
        assert outlook(kids, NOW + timedelta(seconds=11.5)) == "next retry in 1 s (3 of 5)"
        assert outlook(kids, NOW + timedelta(seconds=40)) == "next retry now (3 of 5)"

    def test_nothing_comes_next_for_a_channel_that_is_as_it_should_be(self) -> None:
        for status in (Status.RUNNING, Status.STOPPED, Status.STOPPING, Status.PENDING):
            assert outlook(view(1, "A", status), NOW) == ""

    def test_a_channel_that_was_given_up_says_when_it_is_tried_again(self) -> None:
        row = view(4, "A", Status.ERROR, attempt=5, next_retry_at=NOW + timedelta(seconds=58))
        assert outlook(row, NOW) == "given up after 5 attempts; tried again in 58 s"
        assert next_step(row, NOW) == "tried again in 58 s"
        assert outlook(row, NOW - timedelta(seconds=4 * 60)) == "given up after 5 attempts; tried again in 4 min 58 s"

    def test_a_channel_that_stays_off_air_says_so(self) -> None:
        assert outlook(line_up()[3], NOW) == "given up after 5 attempts; not tried again by itself"
        assert next_step(line_up()[3], NOW) == ""

    def test_a_cause_that_does_not_heal_is_given_up_without_attempts(self) -> None:
        assert outlook(view(1, "A", Status.ERROR, attempt=1), NOW) == "given up; not tried again by itself"
        once = view(1, "A", Status.ERROR, attempt=1, max_attempts=1)
        assert outlook(once, NOW) == "given up after 1 attempt; not tried again by itself"

    def test_a_channel_that_failed_waits_for_its_turn_and_a_new_one_says_it_by_its_message(self) -> None:
        again = view(1, "A", Status.QUEUED, attempt=2, message="FFmpeg was killed")
        first = view(1, "A", Status.QUEUED, message="waits for its turn: others are starting")
        assert instead_of_figures(again, NOW) == ("waits for its turn: FFmpeg was killed", "busy")
        assert instead_of_figures(first, NOW) == ("waits for its turn: others are starting", "busy")


def test_a_row_without_figures_says_when_it_is_tried_again_and_why() -> None:
    _, _, kids, parliament, weather = line_up()
    told = instead_of_figures(kids, NOW)
    assert told == ("next retry in 12 s (3 of 5): no data from srt://198.51.100.20:9000 for 15 s", "warn")
    assert instead_of_figures(parliament, NOW) == ("file loops/parliament.ts is not there", "bad")
    assert instead_of_figures(weather, NOW) is None
    assert instead_of_figures(view(1, "News HD"), NOW) is None


class TestFaultLine:
    def test_everything_on_one_line_where_it_fits(self) -> None:
        assert arranged("fault", "remedy", "soon", 80, 3) == [("fault", "  remedy", "soon")]

    def test_the_remedy_goes_below_first(self) -> None:
        assert arranged("f" * 40, "r" * 40, "soon", 80, 3) == [("f" * 40, "", "soon"), ("", f"   {'r' * 40}", "")]

    def test_what_comes_next_goes_below_a_long_fault(self) -> None:
        assert arranged("f" * 78, "remedy", "soon", 80, 3) == [("f" * 78, "", ""), ("", "   remedy", "soon")]
        assert arranged("f" * 78, "", "soon", 80, 3) == [("f" * 78, "", ""), ("", "", "soon")]

    def test_three_long_texts_have_a_line_each(self) -> None:
        assert arranged("f" * 78, "r" * 70, "s" * 30, 80, 3) == [
            ("f" * 78, "", ""),
            ("", f"   {'r' * 70}", ""),
            ("", "", "s" * 30),
        ]

    def test_a_small_terminal_gets_no_more_lines_than_there_are(self) -> None:
        for lines in (1, 2):
            assert len(arranged("f" * 78, "r" * 70, "s" * 30, 80, lines)) == lines


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"keeper_pid": None}, ["no keeper: nobody restarts the worker; 'transcoder-tui worker start' repairs it"]),
        ({"database": "the disk is full"}, ["orders cannot be stored: the disk is full"]),
        (
            {"database": "the disk\nis full", "unsaved_events": 12},
            ["orders cannot be stored (12 events wait): the disk is full"],
        ),
        (
            {"database": "the disk is full", "unsaved_events": 1},
            ["orders cannot be stored (1 event waits): the disk is full"],
        ),
        ({"unsaved_events": 3}, []),
    ],
)
def test_what_is_wrong_with_the_worker_is_said(changes: dict[str, object], said: list[str]) -> None:
    assert worker_faults(worker_view().model_copy(update=changes)) == said


class TestSources:
    def test_one_source_cannot_be_changed_and_a_stopped_channel_is_started_first(self) -> None:
        assert refusal(view(1, "A")) == "A has one source only: e adds another."
        assert refusal(view(1, "A", Status.STOPPED, sources=2)) == "A is stopped: s starts it."
        assert refusal(view(1, "A", sources=2)) == ""

    def test_the_question_names_both_sources_and_says_what_it_interrupts(self) -> None:
        names = ["udp://239.1.1.1:5000 on eth1", "srt://198.51.100.20:9000"]
        asked = source_question(view(1, "A", sources=2), names, 1)
        assert asked.title == "Change the source of A?"
        assert asked.body.splitlines() == [
            "It is interrupted until the other source has started.",
            "from source 1: udp://239.1.1.1:5000 on eth1",
            "to source 2:   srt://198.51.100.20:9000",
        ]
        off = source_question(view(1, "A", Status.RETRYING, sources=2), names, 1)
        assert "off air" in off.body.splitlines()[0]


class TestQuestions:
    def test_starting_a_few_asks_nothing(self) -> None:
        assert question("start", line_up()[:3]) is None

    def test_stopping_what_is_not_on_air_asks_nothing(self) -> None:
        assert question("stop", [view(5, "Weather", Status.STOPPED)]) is None

    def test_stopping_what_is_on_air_names_it(self) -> None:
        asked = question("stop", [view(1, "News HD")])
        assert asked is not None
        assert (asked.title, asked.body, asked.answer) == ("Stop News HD?", "It is on air.", "Stop")

    def test_stopping_several_counts_and_names_those_on_air(self) -> None:
        asked = question("stop", [view(1, "News HD"), view(2, "Sport"), view(3, "Kids", Status.ERROR)])
        assert asked is not None
        assert (asked.title, asked.body) == ("Stop 3 channels?", "2 are on air: News HD, Sport.")

    def test_a_long_list_of_names_is_cut_and_counted(self) -> None:
        asked = question("restart", [view(number, f"C{number}") for number in range(1, 9)])
        assert asked is not None
        assert asked.body == "8 are on air: C1, C2, C3, C4, C5 and 3 more."

    def test_a_channel_that_is_being_started_counts_as_on_air(self) -> None:
        assert question("stop", [view(1, "News HD", Status.PENDING)]) is not None

    def test_deleting_always_asks(self) -> None:
        asked = question("delete", [view(5, "Weather", Status.STOPPED)])
        assert asked is not None
        assert asked.title == "Delete Weather?"
        assert "not on air" in asked.body


class TestActions:
    def test_every_action_can_be_carried_out(self) -> None:
        for scope, screen in (("main", MainScreen), ("form", FormScreen)):
            for action in actions_for(scope):  # type: ignore[arg-type]
                assert callable(getattr(screen, f"action_{action.method.partition('(')[0]}")), action.name

    def test_no_key_means_two_things(self) -> None:
        for scope in ("main", "form"):
            keys = [key for action in actions_for(scope) for key in action.keys]  # type: ignore[arg-type]
            assert len(keys) == len(set(keys)), scope

    def test_the_footer_of_a_narrow_terminal_keeps_what_matters_most(self) -> None:
        labels = [action.label for action in footer_actions("channels", 80, read_only=False)]
        assert labels[:3] == ["Start", "Stop", "Restart"]
        assert {"Help", "Leave", "New", "Filter"} <= set(labels)
        assert len(labels) < len(footer_actions("channels", 200, read_only=False))

    def test_a_read_only_footer_offers_nothing_that_writes(self) -> None:
        assert not [action for action in footer_actions("channels", 300, read_only=True) if action.writes]

    def test_keys_are_shown_as_their_caps_read(self) -> None:
        assert [shown_key(key) for key in ("s", "slash", "question_mark", "ctrl+s", "f2", "G")] == [
            "s",
            "/",
            "?",
            "^s",
            "F2",
            "G",
        ]


@pytest.mark.parametrize(
    ("environment", "sixteen"),
    [
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "screen-256color", "COLORTERM": "truecolor"}, False),
        ({"TERM": "linux"}, True),
        ({"TERM": "putty"}, True),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, True),
    ],
)
def test_terminals_without_colours_of_ours_get_their_own_sixteen(environment: dict[str, str], sixteen: bool) -> None:
    assert needs_sixteen(environment) is sixteen
