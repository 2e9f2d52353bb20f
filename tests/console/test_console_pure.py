"""Formats, columns, sparklines, log lines, questions: the pure parts of the console."""

from datetime import timedelta

import pytest
from rack_fixtures import NOW, line_up, view
from rich.cells import cell_len
from rich.style import Style

from transcoder_tui.console import format as written
from transcoder_tui.console.actions import ACTIONS, actions_for, shown_key
from transcoder_tui.console.columns import COLUMNS, GAP, GUTTER, lay_out
from transcoder_tui.console.log_line import read_line
from transcoder_tui.console.orders import question
from transcoder_tui.console.screens.details import facts
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.console.screens.main import MainScreen
from transcoder_tui.console.state import SORT_KEYS
from transcoder_tui.console.status import mark_of
from transcoder_tui.console.theme import needs_sixteen
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.fault_line import retry_text
from transcoder_tui.console.widgets.key_bar import footer_actions
from transcoder_tui.console.widgets.sparkline import BLOCKS, sparkline
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


def test_columns_that_change_stand_left_of_those_that_are_long() -> None:
    keys = [column.key for column in COLUMNS]
    changing = [keys.index(column.key) for column in COLUMNS if column.changes]
    assert max(changing) < keys.index("source")


def test_every_column_that_can_be_sorted_has_a_key() -> None:
    sorts = {action.name.partition("-")[2] for action in ACTIONS if action.name.startswith("sort-")}
    assert sorts == set(SORT_KEYS)


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
    well, unwell = mark_of(view(1, "A")), mark_of(view(1, "A", message="encoder is slower than real time"))
    assert well.glyph != unwell.glyph
    assert unwell.word == "on air"


def test_the_next_retry_is_counted_down_to() -> None:
    kids = line_up()[2]
    assert retry_text(kids, NOW) == "next retry in 12 s (3 of 5)"
    assert retry_text(kids, NOW + timedelta(seconds=11.5)) == "next retry in 1 s (3 of 5)"
    assert retry_text(kids, NOW + timedelta(seconds=40)) == "next retry now (3 of 5)"
    assert retry_text(line_up()[0], NOW) == ""


def test_details_tell_the_process_the_attempts_and_the_remedy() -> None:
    news, _, kids, parliament, _ = line_up()
    assert dict(facts(news, NOW))["Process"] == "pid 4001, 142% of one core, 180M of memory"
    assert dict(facts(kids, NOW))["Retry"] == "next retry in 12 s (3 of 5)"
    assert dict(facts(parliament, NOW))["Attempts"] == "5 of 5 failed"
    assert dict(facts(parliament, NOW))["Remedy"].startswith("put it below")


class TestQuestions:
    def test_starting_asks_nothing(self) -> None:
        assert question("start", line_up()) is None

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
        labels = [action.label for action in footer_actions("main", 80, read_only=False)]
        assert labels[:3] == ["Start", "Stop", "Restart"]
        assert {"Help", "Leave", "New", "Filter"} <= set(labels)
        assert len(labels) < len(footer_actions("main", 200, read_only=False))

    def test_a_read_only_footer_offers_nothing_that_writes(self) -> None:
        assert not [action for action in footer_actions("main", 300, read_only=True) if action.writes]

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
