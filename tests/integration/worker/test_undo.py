"""The last change of channels can be taken back, whatever it was."""

import getpass
from typing import Any

import pytest
from worker_rig import Wait, channel, is_running

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import Conflict
from transcoder_tui.models.event import EventKind
from transcoder_tui.models.job import Status


def idle(name: str, **changes: Any) -> dict[str, Any]:
    return channel(name, autostart=False, **changes)


async def undo(client: WorkerClient) -> list[tuple[str, str, list[str]]]:
    """Undoes the last change; says what it was."""
    view = await client.undoable()
    assert view is not None
    done = await client.undo(view.event)
    return [(change.kind.value, change.channel, change.fields) for change in done.changes]


async def specs(client: WorkerClient) -> dict[int, dict[str, Any]]:
    return {document.id: document.spec for document in await client.channels()}


async def test_change_creation_and_deletion_are_taken_back_one_after_the_other(client: WorkerClient) -> None:
    one = await client.create(idle("One"))
    two = await client.create(idle("Two"))
    changed = await client.change(one.id, idle("First", group="News"))
    await client.delete(two.id)

    after_deletion = [await undo(client), await specs(client)]
    after_change = [await undo(client), await specs(client)]
    after_creation = [await undo(client), await specs(client)]

    first = (await client.events(limit=100, kinds=[EventKind.UNDONE]))[-3:]
    assert after_deletion[0] == [("delete", "Two", [])]
    assert after_deletion[1] == {one.id: changed.spec, two.id: two.spec}
    assert after_change == [
        [("change", "First", ["name", "outputs[0].url", "group"])],
        {one.id: one.spec, two.id: two.spec},
    ]
    assert after_creation == [[("create", "Two", [])], {one.id: one.spec}]
    assert [(event.channel_id, event.message, event.actor) for event in first] == [
        (two.id, "undone: deletion", getpass.getuser()),
        (one.id, "undone: change of name, outputs[0].url, group", getpass.getuser()),
        (two.id, "undone: creation", getpass.getuser()),
    ]


async def test_a_line_up_is_taken_back_as_a_whole(client: WorkerClient) -> None:
    kept, changed, gone = [await client.create(idle(name)) for name in ("Kept", "Changed", "Gone")]
    before = await specs(client)
    lineup = [idle("Kept"), idle("Changed", priority=70), idle("New")]
    await client.apply({"version": 1, "channels": lineup}, prune=True)

    view = await client.undoable()
    assert view is not None
    assert {change.channel: change.kind.value for change in view.changes} == {
        "Changed": "change",
        "Gone": "delete",
        "New": "create",
    }
    await client.undo(view.event)

    assert await specs(client) == before
    assert set(before) == {kept.id, changed.id, gone.id}


async def test_a_change_that_reaches_ffmpeg_says_that_the_channel_is_interrupted(
    client: WorkerClient, wait: Wait
) -> None:
    created = await client.create(channel("On air"))
    first = await wait(created.id, is_running)
    await client.change(created.id, channel("On air", group="News"))
    harmless = await client.undoable()
    await client.change(
        created.id, channel("On air", group="News", sources=[{"url": "test://bars?size=160x90&fps=30"}])
    )
    second = await wait(created.id, lambda row: is_running(row) and row.pid != first.pid)
    harmful = await client.undoable()
    assert harmless is not None and harmful is not None

    await client.undo(harmful.event)
    third = await wait(created.id, lambda row: is_running(row) and row.pid != second.pid)
    again = await client.undoable()
    assert again is not None
    await client.undo(again.event)
    last = await wait(created.id, lambda row: row.group is None)

    assert [(view.changes[0].on_air, view.changes[0].restarts) for view in (harmless, harmful)] == [
        (True, False),
        (True, True),
    ]
    assert third.source == first.source
    assert last.pid == third.pid


@pytest.mark.parametrize("running", [True, False])
async def test_a_deleted_channel_is_on_air_again_where_it_was(client: WorkerClient, wait: Wait, running: bool) -> None:
    created = await client.create(channel("One"))
    await wait(created.id, is_running)
    if not running:
        await client.order(created.id, "stop")
    await client.delete(created.id)

    await undo(client)

    assert (await client.job(created.id)).status == Status.STOPPED or running
    if running:
        await wait(created.id, is_running)


async def test_what_is_not_the_last_change_any_more_is_refused(client: WorkerClient) -> None:
    one = await client.create(idle("One"))
    view = await client.undoable()
    assert view is not None
    await client.change(one.id, idle("One", priority=70))

    with pytest.raises(Conflict, match="changed again"):
        await client.undo(view.event)

    assert (await client.channel(one.id)).spec["priority"] == 70
