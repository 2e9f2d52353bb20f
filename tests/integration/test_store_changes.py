"""What the store says was changed last, which is what can be undone."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from store_samples import channel, event

from transcoder_tui.errors import Conflict
from transcoder_tui.models.event import Event, EventFields, EventKind
from transcoder_tui.models.job import JobFields, Wanted
from transcoder_tui.store.store import Edit, Store, StoredChange, StoredChannel


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path / "transcoder.db")
    await store.open()
    yield store
    await store.close()


def config(name: str, channel_id: int | None = None, kind: EventKind = EventKind.CONFIG) -> EventFields:
    return event("changed", channel=name, channel_id=channel_id, kind=kind, actor="anna")


async def edit(
    store: Store, edits: Sequence[Edit], events: Sequence[EventFields]
) -> tuple[list[StoredChannel], list[Event]]:
    stored, written = await store.edit(edits, events, "anna")
    return [channel for channel in stored if channel is not None], written


async def create(store: Store, *names: str) -> list[StoredChannel]:
    stored, _ = await edit(store, [Edit(None, channel(name)) for name in names], [config(name) for name in names])
    return stored


async def change(store: Store, there: StoredChannel, priority: int) -> StoredChannel:
    spec = channel(there.spec.name, priority=priority)
    [stored], _ = await edit(store, [Edit(there.id, spec)], [config(there.spec.name, there.id)])
    return stored


async def undo(store: Store) -> None:
    """Writes what an undo of the last change writes where channels were only changed."""
    last = await store.last_change()
    assert last is not None
    edits = [Edit(step.channel_id, channel("One", priority=(step.before or {})["priority"])) for step in last.steps]
    await edit(store, edits, [config("One", step.channel_id, EventKind.UNDONE) for step in last.steps])


def priorities(change: StoredChange | None) -> tuple[object, object] | None:
    if change is None:
        return None
    [step] = change.steps
    before, after = (document and document.get("priority") for document in (step.before, step.after))
    return before, after


async def test_nothing_can_be_undone_where_nothing_was_done(store: Store) -> None:
    assert await store.last_change() is None


async def test_the_last_change_tells_what_was_before_and_what_is_since(store: Store) -> None:
    [one] = await create(store, "One")
    created = await store.last_change()
    changed = await change(store, one, 70)
    last = await store.last_change()

    assert created is not None and last is not None
    assert [(step.before, step.after) for step in created.steps] == [(None, one.spec.document())]
    assert [(step.before, step.after) for step in last.steps] == [(one.spec.document(), changed.spec.document())]
    assert (last.steps[0].revision, last.actor) == (2, "anna")
    [latest] = await store.events(1)
    assert (last.event, last.at) == (latest.id, latest.at)


async def test_what_was_changed_together_is_one_change(store: Store) -> None:
    one, two = await create(store, "One", "Two")
    await edit(
        store,
        [Edit(one.id, channel("One", priority=9)), Edit(two.id, None), Edit(None, channel("Three"))],
        [config("One", one.id), config("Two", two.id), config("Three")],
    )

    last = await store.last_change()

    assert last is not None
    kinds = {step.channel_id: (step.before is not None, step.after is not None) for step in last.steps}
    assert kinds == {one.id: (True, True), two.id: (True, False), two.id + 1: (False, True)}


async def test_each_undo_leads_one_change_further_back(store: Store) -> None:
    [one] = await create(store, "One")
    await change(store, await change(store, one, 60), 70)

    seen = [priorities(await store.last_change())]
    await undo(store)
    seen.append(priorities(await store.last_change()))
    seen_after_undo = await store.events(1)
    await undo(store)
    seen.append(priorities(await store.last_change()))

    assert seen == [(60, 70), (50, 60), (None, 50)]
    assert seen_after_undo[0].kind is EventKind.UNDONE


async def test_a_change_after_an_undo_is_the_next_to_be_undone_and_then_the_one_before_the_undone(
    store: Store,
) -> None:
    [one] = await create(store, "One")
    await change(store, await change(store, one, 60), 70)
    await undo(store)
    await change(store, one, 80)

    seen = [priorities(await store.last_change())]
    await undo(store)
    seen.append(priorities(await store.last_change()))

    assert seen == [(60, 80), (50, 60)]


async def test_saving_without_a_change_is_nothing_to_undo(store: Store) -> None:
    [one] = await create(store, "One")
    changed = await change(store, one, 60)
    await change(store, changed, 60)

    assert priorities(await store.last_change()) == (50, 60)
    await undo(store)
    assert priorities(await store.last_change()) == (None, 50)


async def test_a_deleted_channel_comes_back_with_its_id_and_the_next_revision(store: Store) -> None:
    spec = channel("One")
    [one], _ = await edit(
        store, [Edit(None, spec, job=JobFields(wanted=Wanted.RUNNING, generation=4))], [config("One")]
    )
    await edit(store, [Edit(one.id, None)], [config("One", one.id)])

    last = await store.last_change()
    assert last is not None
    [step] = last.steps
    assert (step.before, step.after, step.wanted) == (spec.document(), None, Wanted.RUNNING)
    await edit(store, [Edit(one.id, spec, revives=True)], [config("One", one.id, EventKind.UNDONE)])

    [back] = await store.channels()
    assert (back.id, back.revision, back.spec, back.job) == (one.id, 3, spec, JobFields())
    created = await store.last_change()
    assert created is not None
    assert [(step.before, step.after, step.revision) for step in created.steps] == [(None, spec.document(), 3)]


async def test_a_channel_that_is_there_is_not_created_again(store: Store) -> None:
    [one] = await create(store, "One")

    with pytest.raises(Conflict):
        await store.edit([Edit(one.id, channel("Other"), revives=True)])

    assert [stored.spec.name for stored in await store.channels()] == ["One"]


async def test_there_is_no_way_back_from_channels_of_a_copy(store: Store) -> None:
    [one] = await create(store, "One")
    await store.put([StoredChannel(one.id, 5, channel("One", priority=80), JobFields())])

    assert await store.last_change() is None


async def test_orders_and_ladders_are_no_changes_of_channels(store: Store) -> None:
    [one] = await create(store, "One")
    await store.edit([], [event("ladder stored", kind=EventKind.CONFIG)])
    await store.edit([], [event("start ordered", kind=EventKind.ORDER, channel_id=one.id)])

    assert priorities(await store.last_change()) == (None, 50)
