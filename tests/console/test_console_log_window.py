import pytest
from rack_fixtures import FakeClient, view

from transcoder_tui.console.log_window import LONGEST, MOST, PIECE, LogWindow
from transcoder_tui.errors import NoWorker


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
