"""Requests and streams that are made to break the worker, or the terminal of whoever looks."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from worker_rig import channel

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.ffmpeg.binary import carried
from transcoder_tui.settings import Settings

HUGE = "9" * 5000
BODIES = [
    json.dumps(channel()).replace('"Test"', HUGE),
    json.dumps(channel()).replace("25", f"1e{HUGE}"),
    json.dumps(channel()).replace("25", "NaN"),
    json.dumps(channel()).replace("25", "Infinity"),
    json.dumps(channel()).replace('"Test"', '"\\ud800"'),
    json.dumps(channel("A" * 10_000)),
    json.dumps({**channel(), "sources": [{"url": "test://bars?fps=1e999999999"}]}),
    '{"a":' * 100_000,
    "[" * 100_000,
    '{"name": "a", "name": "b"}',
    "\x00",
    "",
]


@pytest.mark.long
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize(("verb", "path"), [("POST", "/channels"), ("PUT", "/lineup"), ("POST", "/probe")])
async def test_no_body_breaks_the_worker(
    client: WorkerClient, settings: Settings, verb: str, path: str, body: str
) -> None:
    if path == "/lineup" and body.startswith('{"name"'):
        body = f'{{"version": 1, "channels": [{body}]}}'
    transport = httpx.AsyncHTTPTransport(uds=str(settings.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://worker/api/v1", timeout=30) as http:
        headers = {"content-type": "application/json"}
        answer = await http.request(verb, path, content=body.encode(), headers=headers)
    assert 400 <= answer.status_code < 500
    faults = answer.json()["error"]["faults"]
    assert faults
    assert all(fault["fault"] for fault in faults)
    assert len(answer.text) < 20_000


async def test_a_service_name_cannot_speak_to_the_terminal(
    client: WorkerClient, settings: Settings, cli: Callable[..., Any]
) -> None:
    [root] = settings.media[:1]
    root.mkdir(parents=True, exist_ok=True)
    clip = root / "clips" / "evil.ts"
    clip.parent.mkdir()
    generated = ["-f", "lavfi", "-i", "testsrc2=size=160x90", "-t", "1", "-preset", "ultrafast"]
    named = ["-metadata", "service_name=\x1b]0;owned\x07\x1b[2Jevil", "-f", "mpegts", str(clip)]
    made = await asyncio.create_subprocess_exec(str(carried()), "-loglevel", "error", *generated, *named)
    assert await made.wait() == 0
    for style in ([], ["--json"]):
        said = cli("probe", "file://clips/evil.ts", *style)
        assert said.returncode == 0, said.stderr
        assert "evil" in said.stdout
        assert "\x1b" not in said.stdout + said.stderr
        assert "\x07" not in said.stdout + said.stderr
