"""What the store promises to the worker, on real SQLite files."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from store_samples import add_events, channel, event, full_channel, save_job

from transcoder_tui.errors import Conflict, InvalidInput, NoSuchChannel, StoreUnavailable
from transcoder_tui.models.event import EventKind, Severity
from transcoder_tui.models.health import Alarm, Health
from transcoder_tui.models.job import JobFields, Status, Wanted
from transcoder_tui.store.store import Edit, Store, StoredChannel

FULL_JOB = JobFields(
    wanted=Wanted.RUNNING,
    generation=7,
    status=Status.RETRYING,
    since=datetime(2026, 3, 1, 3, 0, 0, 250000, UTC),
    run_id="5f3c",
    pid=4711,
    start_ticks=123456789012,
    boot_id="b00t",
    on_air_since=datetime(2026, 3, 1, 2, 59, tzinfo=UTC),
    attempt=3,
    next_retry_at=datetime(2026, 3, 1, 3, 0, 8, tzinfo=UTC),
    restarts=12,
    exit_code=-9,
    error="no packets for 5 s",
    remedy="check the feed",
    active_source=1,
    next_source=0,
    pinned=True,
    off_air_since=datetime(2026, 3, 1, 2, 59, 58, tzinfo=UTC),
    gap_s=2.25,
    alarms=[
        Alarm(
            health=Health.INPUT_LOST,
            since=datetime(2026, 3, 1, 3, tzinfo=UTC),
            message="nothing arrives",
            remedy="check the feed",
        )
    ],
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "transcoder.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    store = Store(path)
    await store.open()
    yield store
    await store.close()


async def create(store: Store, *names: str) -> list[StoredChannel]:
    stored, _ = await store.edit([Edit(None, channel(name)) for name in names])
    return [entry for entry in stored if entry is not None]


async def names(store: Store) -> list[str]:
    return [stored.spec.name for stored in await store.channels()]


def count(path: Path, table: str) -> int:
    with sqlite3.connect(path) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


async def test_a_full_channel_comes_back_as_it_was_from_another_process_life(path: Path) -> None:
    first = Store(path)
    [written], _ = await first.edit([Edit(None, full_channel(), job=FULL_JOB)])
    await first.close()
    second = Store(path)
    [read] = await second.channels()
    await second.close()
    assert read == written
    assert read.spec == full_channel()
    assert read.spec.renditions[1].audio is None
    assert read.spec.sources[1].address.secrets == ("correct-horse",)
    assert read.job == FULL_JOB
    assert read.job.since is not None
    assert read.job.since.tzinfo is UTC
    assert isinstance(read.job.status, Status)


async def test_channels_are_listed_by_id_and_their_children_in_the_documents_order(store: Store) -> None:
    await create(store, "Zulu", "Alpha")
    turned = full_channel().model_copy(update={"sources": full_channel().sources[::-1]})
    await store.edit([Edit(None, turned)])
    assert await names(store) == ["Zulu", "Alpha", "Größe 24"]
    assert (await store.channels())[2].spec.sources == turned.sources


async def test_a_changed_channel_has_its_new_children_only_and_the_next_revision(store: Store, path: Path) -> None:
    [created], _ = await store.edit([Edit(None, full_channel())])
    assert created is not None
    smaller = channel("Small")
    [changed], _ = await store.edit([Edit(created.id, smaller, revision=1)])
    assert changed is not None
    assert (changed.id, changed.revision, changed.spec) == (created.id, 2, smaller)
    assert await store.channels() == [changed]
    assert [count(path, table) for table in ("source", "rendition", "output")] == [1, 1, 1]


async def test_a_copy_is_kept_of_every_revision_even_of_a_deleted_channel(store: Store, path: Path) -> None:
    [created], _ = await store.edit([Edit(None, full_channel())], actor="anna")
    assert created is not None
    await store.edit([Edit(created.id, channel("Small"))], actor="ben")
    await store.edit([Edit(created.id, None)], actor="ben")
    with sqlite3.connect(path) as connection:
        kept = connection.execute("SELECT revision, actor, json_extract(spec, '$.name') FROM revision").fetchall()
    assert kept == [(1, "anna", "Größe 24"), (2, "ben", "Small"), (3, "ben", None)]


async def test_deleting_a_channel_leaves_nothing_of_it_but_history(store: Store, path: Path) -> None:
    [created], _ = await store.edit(
        [Edit(None, full_channel(), job=FULL_JOB)], [event("created", channel=full_channel().name)]
    )
    assert created is not None
    result, _ = await store.edit([Edit(created.id, None)])
    assert result == [None]
    tables = ("channel", "source", "rendition", "output", "job")
    assert [count(path, table) for table in tables] == [0, 0, 0, 0, 0]
    assert [entry.message for entry in await store.events(10, created.id)] == ["created"]


async def test_the_id_of_a_deleted_channel_is_not_given_again(store: Store) -> None:
    [created] = await create(store, "One")
    await store.edit([Edit(created.id, None)])
    [again] = await create(store, "One")
    assert again.id > created.id


async def test_one_bad_edit_of_three_changes_nothing(store: Store, path: Path) -> None:
    [one, two] = await create(store, "One", "Two")
    before = await store.channels()
    edits = [Edit(one.id, None), Edit(None, channel("New")), Edit(two.id, channel("Two", priority=1), revision=9)]
    with pytest.raises(Conflict):
        await store.edit(edits, [event("never happened")])
    assert await store.channels() == before
    assert await store.events(10) == []
    assert count(path, "revision") == 2


async def test_a_stale_revision_is_refused_naming_both(store: Store) -> None:
    [one] = await create(store, "One")
    await store.edit([Edit(one.id, channel("One", priority=1), revision=1)])
    for stale in (Edit(one.id, channel("One", priority=2), revision=1), Edit(one.id, None, revision=1)):
        with pytest.raises(Conflict, match=r"One is at revision 2, .* revision 1"):
            await store.edit([stale])
    assert (await store.channels())[0].spec.priority == 1


async def test_an_unknown_id_is_refused(store: Store) -> None:
    for edit in (Edit(99, channel("One")), Edit(99, None)):
        with pytest.raises(NoSuchChannel, match="99"):
            await store.edit([edit])


@pytest.mark.parametrize("taken", ["Größe", "GRÖSSE", "grösse"])
async def test_a_name_is_refused_that_another_channel_has_in_whatever_case(store: Store, taken: str) -> None:
    [_, other] = await create(store, "Größe", "Other")
    for edit in (Edit(None, channel(taken)), Edit(other.id, channel(taken))):
        with pytest.raises(InvalidInput, match="already the name of channel 1") as refused:
            await store.edit([edit])
        assert refused.value.faults[0].field == "name"
    assert await names(store) == ["Größe", "Other"]


async def test_a_channel_may_keep_its_name_or_change_its_case(store: Store) -> None:
    [one] = await create(store, "One")
    await store.edit([Edit(one.id, channel("One", priority=3))])
    await store.edit([Edit(one.id, channel("ONE"))])
    assert await names(store) == ["ONE"]


async def test_names_may_be_swapped_and_taken_over_within_one_transaction(store: Store) -> None:
    [one, two, three] = await create(store, "One", "Two", "Three")
    result, _ = await store.edit(
        [Edit(None, channel("Three")), Edit(one.id, channel("Two")), Edit(three.id, None), Edit(two.id, channel("One"))]
    )
    assert [stored.spec.name if stored else None for stored in result] == ["Three", "Two", None, "One"]
    assert await names(store) == ["Two", "One", "Three"]


async def test_two_created_channels_cannot_share_a_name(store: Store) -> None:
    with pytest.raises(InvalidInput):
        await create(store, "One", "one")
    assert await names(store) == []


async def test_a_created_channel_is_stopped_unless_its_job_says_otherwise(store: Store) -> None:
    [one], _ = await store.edit([Edit(None, channel("One"))])
    [two], _ = await store.edit([Edit(None, channel("Two"), job=JobFields(wanted=Wanted.RUNNING))])
    assert one is not None
    assert two is not None
    assert (one.job.wanted, two.job.wanted) == (Wanted.STOPPED, Wanted.RUNNING)


async def test_a_change_leaves_the_job_alone_unless_it_brings_one(store: Store) -> None:
    [one], _ = await store.edit([Edit(None, channel("One"), job=FULL_JOB)])
    assert one is not None
    [kept], _ = await store.edit([Edit(one.id, channel("One", priority=1))])
    assert kept is not None
    assert kept.job == FULL_JOB
    [replaced], _ = await store.edit([Edit(one.id, channel("One"), job=JobFields(generation=8))])
    assert replaced is not None
    assert replaced.job == JobFields(generation=8)


async def test_a_job_is_saved_with_its_events(store: Store) -> None:
    [one] = await create(store, "One")
    written = await save_job(store, one.id, FULL_JOB, [event("on air", channel_id=one.id)])
    assert (await store.channels())[0].job == FULL_JOB
    assert await store.events(10, one.id) == written


async def test_the_job_of_a_channel_deleted_meanwhile_is_dropped_and_its_events_are_kept(
    store: Store, path: Path
) -> None:
    [one] = await create(store, "One")
    await store.edit([Edit(one.id, None)])
    await save_job(store, one.id, FULL_JOB, [event("ended", channel_id=one.id)])
    assert count(path, "job") == 0
    assert [entry.message for entry in await store.events(10)] == ["ended"]


async def test_events_of_created_channels_get_their_ids_and_others_stay_as_they_are(store: Store) -> None:
    [old] = await create(store, "Old")
    result, events = await store.edit(
        [Edit(None, channel("A")), Edit(None, channel("B"))],
        [
            event("b created", channel="B", kind=EventKind.CONFIG, actor="anna"),
            event("a created", channel="A"),
            event("old looked at", channel="Old", channel_id=old.id),
            event("applied"),
        ],
    )
    assert [stored.spec.name for stored in result if stored] == ["A", "B"]
    a, b = (stored.id for stored in result if stored)
    assert [entry.channel_id for entry in events] == [b, a, old.id, None]
    assert await store.events(10) == events
    assert (events[0].kind, events[0].actor, events[0].severity) == (EventKind.CONFIG, "anna", Severity.INFO)


async def test_the_latest_events_are_read_oldest_first(store: Store) -> None:
    await add_events(store, [event(str(number), channel_id=number % 2) for number in range(10)])
    assert [entry.message for entry in await store.events(3)] == ["7", "8", "9"]
    assert [entry.message for entry in await store.events(3, 0)] == ["4", "6", "8"]


async def test_trimming_keeps_the_latest_events(store: Store) -> None:
    await add_events(store, [event(str(number)) for number in range(10)])
    await store.trim_events(100)
    assert len(await store.events(100)) == 10
    await store.trim_events(4)
    assert [entry.message for entry in await store.events(100)] == ["6", "7", "8", "9"]
    await store.trim_events(0)
    last = (await add_events(store, [event("after")]))[0]
    assert last.id == 11
    assert await store.events(100) == [last]


async def test_a_moment_of_another_time_zone_comes_back_as_the_same_moment(store: Store) -> None:
    moment = datetime(2026, 3, 1, 5, 30, tzinfo=timezone(timedelta(hours=2)))
    await add_events(store, [event("x", at=moment)])
    [read] = await store.events(1)
    assert read.at == moment
    assert read.at.utcoffset() == timedelta(0)


async def test_text_that_is_not_utf8_is_kept_as_far_as_it_can_be(store: Store) -> None:
    line = b"Opening caf\xe9 \x00".decode(errors="surrogateescape")
    [one] = await create(store, "One")
    await save_job(store, one.id, JobFields(error=line), [event(line)])
    assert (await store.channels())[0].job.error == "Opening caf? \x00"
    assert (await store.events(1))[0].message == "Opening caf? \x00"


async def test_calls_take_effect_in_the_order_in_which_they_were_made(store: Store) -> None:
    [one] = await create(store, "One")
    saves = [save_job(store, one.id, JobFields(generation=number), [event(str(number))]) for number in range(50)]
    *_, listed = await asyncio.gather(*saves, store.channels())
    assert isinstance(listed[0], StoredChannel)
    assert listed[0].job.generation == 49
    assert [entry.message for entry in await store.events(100)] == [str(number) for number in range(50)]


async def test_a_cancelled_call_is_carried_out_and_harms_none_behind_it(store: Store) -> None:
    calls = [asyncio.ensure_future(add_events(store, [event(str(number))])) for number in range(20)]
    await asyncio.sleep(0)
    calls[10].cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert calls[10].cancelled()
    assert [entry.message for entry in await store.events(100)] == [str(number) for number in range(20)]


async def test_a_closed_store_says_so(path: Path) -> None:
    store = Store(path)
    await store.open()
    await store.close()
    with pytest.raises(StoreUnavailable, match="is closed"):
        await store.channels()


async def test_only_the_worker_and_its_group_can_read_the_database(store: Store, path: Path) -> None:
    await create(store, "One")
    files = [path, path.with_name("transcoder.db-wal")]
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o640", "0o640"]
    assert path.parent.stat().st_mode & 0o007 == 0


def test_an_edit_that_does_nothing_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="creates, changes or deletes"):
        Edit(None, None)
