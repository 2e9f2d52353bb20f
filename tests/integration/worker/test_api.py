"""The API as a program sees it: one shape of error, one live stream, who did what."""

import asyncio
import getpass
import json
import stat
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from worker_rig import Wait, channel, is_running

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.models.view import Delta, Snapshot
from transcoder_tui.settings import Settings


@pytest.fixture
async def http(client: WorkerClient, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.AsyncHTTPTransport(uds=str(settings.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://worker/api/v1", timeout=20) as http:
        yield http


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind", "field"),
    [
        ("GET", "/channels/99", None, 404, "no-such-channel", ""),
        ("GET", "/jobs/99", None, 404, "no-such-channel", ""),
        ("POST", "/jobs/99/start", None, 404, "no-such-channel", ""),
        ("GET", "/nothing/here", None, 404, "failed", ""),
        ("DELETE", "/metrics", None, 405, "failed", ""),
        ("GET", "/channels/abc", None, 422, "invalid", "channel_id"),
        ("GET", "/channels/99999999999999999999", None, 422, "invalid", "channel_id"),
        ("POST", "/jobs/1/explode", None, 422, "invalid", "verb"),
        ("GET", "/events?limit=0", None, 422, "invalid", "limit"),
        ("POST", "/channels", "{}", 422, "invalid", "name"),
        ("POST", "/channels", "[1, 2", 422, "invalid", ""),
        ("POST", "/channels", '{"name": "X", "sources": [{"url": "ftp://x"}]}', 422, "invalid", "sources[0].url"),
        ("PUT", "/lineup", '{"version": 2, "channels": []}', 422, "invalid", "version"),
        ("PUT", "/lineup", '{"version": 1, "channels": [{"name": ""}]}', 422, "invalid", "channels[0].name"),
    ],
)
async def test_every_error_has_the_same_shape(
    http: httpx.AsyncClient, method: str, path: str, body: str | None, status: int, kind: str, field: str
) -> None:
    response = await http.request(method, path, content=body, headers={"content-type": "application/json"})

    assert response.status_code == status
    error = response.json()["error"]
    assert error["kind"] == kind
    assert error["title"]
    assert error["faults"]
    assert all(fault["fault"] for fault in error["faults"])
    if field:
        assert field in [fault["field"] for fault in error["faults"]]


async def test_only_owner_and_group_may_use_the_socket(settings: Settings, client: WorkerClient) -> None:
    assert stat.S_IMODE(settings.socket.stat().st_mode) == 0o660
    assert stat.S_IMODE(settings.run_path.stat().st_mode) == 0o750


async def test_a_request_of_any_size_does_not_hurt(client: WorkerClient, http: httpx.AsyncClient) -> None:
    response = await http.post("/channels", content=b" " * 11_000_000)

    assert response.status_code == 413
    assert response.json()["error"]["faults"][0]["remedy"]
    assert (await client.worker()).pid


async def test_nobody_can_order_in_the_name_of_another(client: WorkerClient, http: httpx.AsyncClient) -> None:
    await http.post("/channels", json=channel(autostart=False), headers={"x-forwarded-for": "chief-engineer"})

    assert [event.actor for event in await client.events(1)] == [getpass.getuser()]


async def test_a_line_up_with_one_mistake_changes_nothing(client: WorkerClient, http: httpx.AsyncClient) -> None:
    good = channel("Good", autostart=False)
    bad = channel("Bad", autostart=False, sources=[{"url": "udp://239.1.1.1:5000", "interface": "eth99"}])

    response = await http.put("/lineup", json={"version": 1, "channels": [good, bad]})

    [fault] = response.json()["error"]["faults"]
    assert fault["field"] == "channels[1].sources[0].interface"
    assert "eth99" in fault["fault"]
    assert "lo" in fault["remedy"]
    assert await client.channels() == []


async def test_a_line_up_is_applied_as_a_whole_and_leaves_the_rest_alone(client: WorkerClient, wait: Wait) -> None:
    one, two = channel("One"), channel("Two", autostart=False)
    first = await client.apply({"version": 1, "channels": [one, two]})
    ids = {document.spec["name"]: document.id for document in await client.channels()}
    before = await wait(ids["One"], is_running)

    two["group"] = "News"
    dry = await client.apply({"version": 1, "channels": [one, two]}, dry_run=True, prune=True)
    assert {document.spec["name"]: document.spec.get("group") for document in await client.channels()}["Two"] is None
    again = await client.apply({"version": 1, "channels": [one, two, channel("Three", autostart=False)]})
    pruned = await client.apply({"version": 1, "channels": [one]}, prune=True)

    kinds = [[(change.kind.value, change.channel) for change in applied.changes] for applied in (first, again, pruned)]
    assert [change.kind.value for change in dry.changes] == ["keep", "change"]
    assert kinds == [
        [("create", "One"), ("create", "Two")],
        [("keep", "One"), ("change", "Two"), ("create", "Three")],
        [("keep", "One"), ("delete", "Two"), ("delete", "Three")],
    ]
    job = await client.job(ids["One"])
    assert (job.pid, job.restarts) == (before.pid, 0)


async def test_the_stream_begins_with_everything_and_goes_on_with_what_changes(client: WorkerClient) -> None:
    kept = await client.create(channel("Kept", autostart=False))
    gone = await client.create(channel("Gone", autostart=False))
    messages: list[Snapshot | Delta] = []
    async for message in client.stream():
        messages.append(message)
        if len(messages) == 2:
            await client.delete(gone.id)
        if isinstance(message, Delta) and gone.id in message.removed:
            break

    snapshot = messages[0]
    assert isinstance(snapshot, Snapshot)
    assert [row.name for row in snapshot.channels] == ["Kept", "Gone"]
    assert snapshot.history and snapshot.history[-1].ram_total > 0
    assert snapshot.worker.version
    last = messages[-1]
    assert isinstance(last, Delta)
    assert [event.message for event in last.events] == ["deleted"]
    assert last.worker is not None
    assert (last.worker.pid, last.worker.database) == (snapshot.worker.pid, "ok")
    assert kept.id not in [row.id for row in last.changed], "what did not change is not sent again"


async def test_a_reader_that_goes_away_does_not_hurt_the_others(client: WorkerClient, settings: Settings) -> None:
    async with WorkerClient(settings.socket) as leaver:
        async for _ in leaver.stream():
            break
    seen = 0
    async for _ in client.stream():
        seen += 1
        if seen == 3:
            break
    assert (await client.worker()).pid


async def test_every_order_and_change_says_who_did_it(client: WorkerClient) -> None:
    created = await client.create(channel(autostart=False))
    await client.change(created.id, channel(autostart=False, priority=70), created.revision)
    await client.order(created.id, "start")
    await client.order(created.id, "stop")
    await client.delete(created.id)

    history = await client.events(channel_id=created.id)
    events = [(event.kind.value, event.message) for event in history if event.actor == getpass.getuser()]

    assert events == [
        ("config", "created"),
        ("config", "changed: priority"),
        ("order", "start ordered"),
        ("order", "stop ordered"),
        ("config", "deleted"),
    ]


async def test_a_reader_that_does_not_read_is_dropped_and_the_worker_goes_on(
    client: WorkerClient, settings: Settings
) -> None:
    reader, writer = await asyncio.open_unix_connection(str(settings.socket))
    writer.write(b"GET /api/v1/stream HTTP/1.1\r\nHost: worker\r\n\r\n")
    await writer.drain()

    messages = 0
    async for message in client.stream():
        messages += 1
        assert json.loads(message.model_dump_json())
        if messages == 4:
            break

    assert (await reader.read(12)).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_the_api_describes_itself(http: httpx.AsyncClient) -> None:
    document: dict[str, Any] = (await http.get("http://worker/openapi.json")).json()

    assert "/api/v1/jobs/{channel_id}/{verb}" in document["paths"]
    assert "muxrate" in document["components"]["schemas"]["Output"]["properties"]
