"""A task for many channels, and what is asked before."""

import asyncio

from bulk_fixtures import SlowClient, regional
from rack_fixtures import Clock, view

from transcoder_tui.console.batch import AT_ONCE, Batch
from transcoder_tui.console.edge import Edge
from transcoder_tui.console.orders import TASKS, group_question, question, regrouping
from transcoder_tui.console.screens.bulk import failure_lines
from transcoder_tui.errors import Conflict, Fault, HostFault, InvalidInput, NoWorker
from transcoder_tui.models.job import Status


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def begun(client: SlowClient, clock: Clock | None = None) -> tuple[Batch, asyncio.Task[None]]:
    batch = Batch(TASKS["stop"], list(client.views.values()), clock or Clock())
    running = asyncio.create_task(batch.run(Edge(client)))
    await turns()
    return batch, running


async def test_several_calls_are_under_way_at_a_time_and_no_more() -> None:
    client = SlowClient(regional(30))
    batch, running = await begun(client)
    assert (batch.underway, batch.waiting, batch.done) == (AT_ONCE, 30 - AT_ONCE, 0)
    client.answer(3)
    await turns()
    assert (batch.underway, batch.waiting, batch.done) == (AT_ONCE, 30 - AT_ONCE - 3, 3)
    client.answer(27)
    await running
    assert client.most_underway == AT_ONCE
    assert sorted(client.ordered("stop")) == list(range(1, 31))
    assert batch.summary() == "Stopped: 30 channels"
    assert batch.is_over


async def test_one_that_fails_holds_up_none_of_the_others() -> None:
    client = SlowClient(regional(12), answers=None)
    client.failing = {
        4: InvalidInput([Fault("not now", "later", "job"), Fault("nor so")]),
        9: HostFault("no FFmpeg", "install it"),
    }
    batch, running = await begun(client)
    await running
    assert batch.summary() == "Stopped: 10 of 12 channels, 2 failed"
    assert [str(fault) for fault in batch.faults()] == [
        "Regional 004, job: not now; later",
        "Regional 004: nor so",
        "Regional 009: no FFmpeg; install it",
    ]


async def test_where_the_worker_goes_away_the_rest_fails_at_once_and_can_be_tried_again() -> None:
    client = SlowClient(regional(30))
    batch, running = await begun(client)
    client.answer(AT_ONCE)
    client.down = NoWorker("no worker answers", "start one")
    await running
    assert batch.summary() == f"Stopped: {AT_ONCE} of 30 channels, {30 - AT_ONCE} failed"
    client.down = None
    client.answer(30)
    batch.take_up_failed()
    await batch.run(Edge(client))
    assert batch.summary() == "Stopped: 30 channels"


async def test_only_those_that_failed_are_tried_again() -> None:
    client = SlowClient(regional(12), answers=None)
    client.failing = {4: HostFault("no FFmpeg"), 9: HostFault("no FFmpeg")}
    batch, running = await begun(client)
    await running
    client.failing.pop(4)
    client.asked.clear()
    batch.take_up_failed()
    await batch.run(Edge(client))
    assert client.ordered("stop") == [4, 9]
    assert batch.summary() == "Stopped: 11 of 12 channels, 1 failed"


async def test_cancelling_leaves_what_is_not_begun_and_waits_for_what_is() -> None:
    client = SlowClient(regional(30))
    batch, running = await begun(client)
    client.answer(2)
    await turns()
    batch.cancel()
    assert not batch.is_over
    assert (batch.underway, batch.waiting, batch.dropped) == (AT_ONCE, 0, 30 - 2 - AT_ONCE)
    client.answer(AT_ONCE)
    await running
    assert len(client.ordered("stop")) == 2 + AT_ONCE
    assert batch.summary() == f"Stopped: {2 + AT_ONCE} of 30 channels, {30 - 2 - AT_ONCE} left as they were"


async def test_the_pace_is_told_from_the_third_answer_on_and_counts_a_retry_by_itself() -> None:
    client, clock = SlowClient(regional(20)), Clock()
    batch, running = await begun(client, clock)
    clock.seconds += 2
    client.answer(2)
    await turns()
    assert batch.pace is None
    client.answer(2)
    await turns()
    assert batch.pace == 2.0
    client.failing = {number: HostFault("no") for number in range(1, 21)}
    client.answer(16)
    await running
    clock.seconds += 100
    assert batch.elapsed_s == 2
    batch.take_up_failed()
    assert batch.left == 16
    again = asyncio.create_task(batch.run(Edge(client)))
    await turns()
    assert batch.pace is None
    client.answer(16)
    await again


async def test_a_group_is_changed_in_the_document_as_it_is_by_then_and_only_where_it_differs() -> None:
    client = SlowClient([view(1, "A", group="Sport"), view(2, "B")], answers=None)
    client.documents[1].revision = 7
    client.documents[1].spec["group"] = "Sport"
    await Batch(regrouping("News"), list(client.views.values())).run(Edge(client))
    ((channel_id, spec, revision),) = client.ordered("change")
    assert (channel_id, spec["group"], revision) == (1, "News", 7)
    assert spec["sources"] == client.documents[1].spec["sources"]
    client.failing[1] = Conflict("A was changed by anna", "look at it, then try again")
    batch = Batch(regrouping(None), list(client.views.values()))
    await batch.run(Edge(client))
    assert [spec["group"] for _, spec, _ in client.ordered("change")[1:]] == [None, None]
    assert [fault.fault for fault in batch.faults()] == ["A was changed by anna"]


async def test_many_that_fail_for_one_reason_have_it_said_once() -> None:
    client = SlowClient(regional(12), answers=None)
    client.failing = {number: NoWorker("no worker answers", "start one") for number in range(2, 12)}
    client.failing[7] = HostFault("no FFmpeg")
    batch, running = await begun(client)
    await running
    assert [line.plain for line in failure_lines(batch.failures, 60)] == [
        "✖ 9 channels    no worker answers",
        "                → start one",
        "                Regional 002, Regional 003, Regional 004,",
        "                Regional 005, Regional 006, Regional 008,",
        "                Regional 009, Regional 010, Regional 011",
        "✖ Regional 007  no FFmpeg",
    ]


def test_one_question_names_and_counts() -> None:
    asked = question("stop", regional(137, stopped=25), hidden=12)
    assert asked is not None
    assert asked.title == "Stop 137 channels?"
    assert asked.body == (
        "112 are on air: Regional 001, Regional 002, Regional 003, Regional 004, Regional 005 and 107 more.\n"
        "12 of them are hidden by the filter."
    )
    assert asked.answer == "Stop"


def test_a_start_asks_only_where_it_is_for_many() -> None:
    assert question("start", regional(3, stopped=3)) is None
    asked = question("start", regional(4, stopped=4))
    assert asked is not None
    assert asked.title == "Start 4 channels?"
    assert "None is on air.\nTo be started: Regional 001, " in asked.body


def test_stopping_a_few_that_are_off_air_asks_nothing_and_many_does() -> None:
    assert question("stop", [view(1, "A", Status.STOPPED)]) is None
    assert question("stop", regional(4, stopped=4)) is not None


def test_a_group_is_asked_for_many_only() -> None:
    assert group_question("News", regional(3)) is None
    asked = group_question("News", regional(40))
    assert asked is not None
    assert (asked.title, asked.answer) == ("Move 40 channels to News?", "Move")
    out = group_question(None, regional(40), hidden=1)
    assert out is not None
    assert out.title == "Take 40 channels out of their groups?"
    assert out.body.endswith("\n1 of them is hidden by the filter.")
