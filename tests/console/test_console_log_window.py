from collections.abc import Callable

import pytest
from rack_fixtures import FakeClient, view

from transcoder_tui.console.log_window import LONGEST, MOST, PIECE, LogWindow
from transcoder_tui.errors import NoWorker
from transcoder_tui.models.view import LogChunk


@pytest.fixture
def client() -> FakeClient:
    client = FakeClient([view(1, "A")])
    client.logs[1] = numbered(0, 5000)
    return client


def numbered(first: int, last: int) -> list[str]:
    """Lines of different lengths, some of them with characters of several bytes."""
    return [f"{number} {'ü' * (number % 5)}{'x' * (number * 7 % 150)}" for number in range(first, last)]


async def opened(client: FakeClient) -> LogWindow:
    window = LogWindow(client, 1)
    await window.open()
    return window


async def test_it_opens_at_the_end(client: FakeClient) -> None:
    window = await opened(client)
    assert list(window) == client.logs[1][-PIECE:]
    assert window.following


async def test_it_takes_in_new_lines_while_it_follows(client: FakeClient) -> None:
    window = await opened(client)
    client.logs[1] += numbered(5000, 5010)
    assert await window.poll() == 0
    assert list(window) == client.logs[1][-PIECE - 10 :]


async def test_it_only_counts_new_lines_while_it_stays(client: FakeClient) -> None:
    window = await opened(client)
    window.following = False
    held = list(window)
    client.logs[1] += numbered(5000, 5010)
    await window.poll()
    assert list(window) == held
    assert window.unseen == 10


async def test_going_back_shows_every_line_once_and_in_order(client: FakeClient) -> None:
    window = await opened(client)
    window.following = False
    for _ in range(3):
        before = list(window)
        added = await window.older()
        assert added > 0
        assert list(window)[added:] == before[: len(window) - added]
    lines = list(window)
    first = client.logs[1].index(lines[0])
    assert lines == client.logs[1][first : first + len(lines)]


async def test_going_back_ends_at_the_first_line_that_is_kept(client: FakeClient) -> None:
    client.first_line = 4000
    window = await opened(client)
    while not window.at_start:
        assert await window.older() > 0
    assert list(window) == client.logs[1][4000:]
    assert await window.older() == 0


async def test_going_back_and_forth_comes_to_the_same_end(client: FakeClient) -> None:
    window = await opened(client)
    window.following = False
    while not window.at_start:
        await window.older()
    assert next(iter(window)) == client.logs[1][0]
    for _ in range(40):
        await window.newer()
    assert list(window)[-1] == client.logs[1][-1]


async def test_it_never_holds_more_than_its_bound(client: FakeClient) -> None:
    window = await opened(client)
    for start in range(5000, 9000, 300):
        client.logs[1] += numbered(start, start + 300)
        await window.poll()
        assert len(window) <= MOST + PIECE
    assert list(window)[-1] == client.logs[1][-1]


async def test_lines_dropped_in_front_are_told(client: FakeClient) -> None:
    window = await opened(client)
    down = 0
    for start in range(5000, 9000, 300):
        client.logs[1] += numbered(start, start + 300)
        down += await window.poll()
    assert len(window) == PIECE + 300 * len(range(5000, 9000, 300)) + down


async def test_a_log_that_outruns_it_is_skipped_to_its_end(client: FakeClient) -> None:
    window = await opened(client)
    client.logs[1] += numbered(5000, 20_000)
    await window.poll()
    assert list(window) == client.logs[1][-PIECE:]


async def test_a_log_that_was_trimmed_past_it_is_opened_anew(client: FakeClient) -> None:
    window = await opened(client)
    client.logs[1] += numbered(5000, 5100)
    client.first_line = 5050
    await window.poll()
    assert list(window) == client.logs[1][5050:]


async def test_very_long_lines_are_cut(client: FakeClient) -> None:
    client.logs[1] = ["x" * 90_000]
    window = await opened(client)
    assert len(next(iter(window))) == LONGEST
    assert next(iter(window)).endswith("x…")


async def test_an_empty_log_begins_when_something_is_written(client: FakeClient) -> None:
    client.logs[1] = []
    window = await opened(client)
    assert list(window) == []
    client.logs[1] = ["first"]
    await window.poll()
    assert list(window) == ["first"]


async def test_a_refused_look_leaves_it_as_it_was(client: FakeClient) -> None:
    window = await opened(client)
    held = list(window)
    client.down = NoWorker("gone")
    with pytest.raises(NoWorker):
        await window.poll()
    assert list(window) == held


def ending(digit: str) -> Callable[[str], bool]:
    """Whether a line's number ends so."""
    return lambda text: text.partition(" ")[0].endswith(digit)


async def narrowed(client: FakeClient, digit: str) -> LogWindow:
    window = LogWindow(client, 1, ending(digit))
    await window.open()
    return window


async def all_of(window: LogWindow) -> list[str]:
    """Everything that it shows, gone through to the start."""
    shown = list(window)
    while not window.at_start:
        held = len(window)
        added = await window.older()
        lines = list(window)
        assert len(window) == min(held + added, len(window))
        shown = lines[:added] + shown
    return shown


@pytest.mark.parametrize("digit", ["7", "77", "4321", "nothing"])
async def test_a_filter_shows_every_line_that_matches_once_and_in_order(client: FakeClient, digit: str) -> None:
    window = await narrowed(client, digit)
    assert await all_of(window) == list(filter(ending(digit), client.logs[1]))


async def test_a_filter_takes_in_what_is_new_and_matches(client: FakeClient) -> None:
    window = await narrowed(client, "77")
    for start in (5000, 5100, 5200, 20_000):
        client.logs[1] += numbered(start, start + 100)
        await window.poll()
    assert [text.partition(" ")[0] for text in window][-4:] == ["5077", "5177", "5277", "20077"]
    client.logs[1] += numbered(30_000, 45_000)
    await window.poll()
    assert list(window) == list(filter(ending("77"), client.logs[1]))[-len(window) :]
    window.following = False
    client.logs[1] += numbered(50_000, 50_100)
    await window.poll()
    assert window.unseen == 1


async def test_changing_the_filter_keeps_the_place(client: FakeClient) -> None:
    window = await opened(client)
    window.following = False
    for _ in range(2):
        await window.older()
    line = list(window)[100]
    place = await window.open_at(100, ending("7"))
    kept = list(window)
    assert kept[place] == next(text for text in client.logs[1][client.logs[1].index(line) :] if ending("7")(text))
    while not window.at_start:
        await window.older()
    place = list(window).index(line) if line in list(window) else 3
    line = list(window)[place]
    assert list(window)[await window.open_at(place, None)] == line or line in list(window)
    lines = list(window)
    first = client.logs[1].index(lines[0])
    assert lines == client.logs[1][first : first + len(lines)]


@pytest.mark.parametrize("number", [0, 3, 2500, 4599])
async def test_a_line_is_found_on_the_way_back_and_what_is_around_it_is_there(client: FakeClient, number: int) -> None:
    window = await opened(client)
    held = list(window)
    found = await window.find(lambda text: text.partition(" ")[0] == str(number), back=True)
    assert found is not None
    assert list(window) == held, "it stays where it is"
    wanted = client.logs[1][number]
    for _ in range(2):
        await found.newer()
    await found.older()
    assert wanted in list(found)
    assert len(found) <= MOST + PIECE
    lines = list(found)
    first = client.logs[1].index(lines[0])
    assert lines == client.logs[1][first : first + len(lines)]
    onward = await found.find(lambda text: text == client.logs[1][-1], back=False)
    assert (onward is None) == (client.logs[1][-1] in lines)
    if onward is not None:
        assert list(onward)[-1] == client.logs[1][-1]
        assert await onward.find(lambda text: True, back=False) is None


async def test_nothing_is_found_where_there_is_nothing(client: FakeClient) -> None:
    window = await opened(client)
    assert await window.find(lambda text: False, back=True) is None
    client.logs[1] = []
    assert await (await opened(client)).find(lambda text: True, back=True) is None


async def test_bytes_that_were_no_characters_do_not_lead_it_astray(client: FakeClient) -> None:
    answer = client.log

    async def shorter(channel_id: int, *, lines: int = 200, offset: int | None = None) -> LogChunk:
        chunk = await answer(channel_id, lines=lines, offset=offset)
        chunk.lines = [text.replace("ü", "u") for text in chunk.lines]
        return chunk

    client.log = shorter  # type: ignore[method-assign]
    window = await opened(client)
    window.following = False
    shown = await all_of(window)
    assert shown == [text.replace("ü", "u") for text in client.logs[1]]
