"""The command line against a real worker, as an operator uses it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from worker_rig import Wait, alive, channel, is_running

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status


@pytest.fixture
def lineup(tmp_path: Path) -> Path:
    documents = [channel("News HD"), channel("Sport", autostart=False)]
    documents[0]["outputs"].append({"url": "rtmp://127.0.0.1:9/live/verysecretkey"})
    path = tmp_path / "lineup.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "channels": documents}, sort_keys=False))
    return path


async def test_a_line_up_is_applied_shown_exported_and_changed(
    client: WorkerClient, cli: Any, lineup: Path, tmp_path: Path, wait: Wait
) -> None:
    assert cli("apply", str(lineup), "--dry-run").stdout.count("would") == 2
    assert await client.channels() == []

    applied = cli("apply", str(lineup))
    assert (applied.returncode, applied.stderr) == (0, "")
    [news, sport] = await client.channels()
    view = await wait(news.id, is_running)

    shown = cli("show", "news hd")
    assert shown.returncode == 0
    assert "verysecretkey" not in shown.stdout
    assert "hls://news-hd" in shown.stdout
    command = cli("command", str(news.id))
    assert "hls_time=1" in command.stdout
    assert "verysecretkey" not in command.stdout
    rows = json.loads(cli("channels", "--json").stdout)
    assert [(row["name"], row["status"]) for row in rows] == [("News HD", "running"), ("Sport", "stopped")]

    exported = cli("export").stdout
    assert yaml.safe_load(exported)["channels"][0]["outputs"][1]["url"].endswith("verysecretkey")
    again = cli("apply", "-", "--prune", stdin=exported)
    assert (again.returncode, again.stdout.strip()) == (0, "= 2 unchanged")
    assert (await client.job(news.id)).pid == view.pid

    pruned = cli("apply", "-", "--prune", "--dry-run", stdin="version: 1\nchannels: []\n")
    assert pruned.stdout.splitlines() == ["- News HD  would be deleted (on air)", "- Sport    would be deleted"]

    assert cli("start", "Sport").returncode == 0
    await wait(sport.id, is_running)
    assert cli("stop", "--all").returncode == 0
    assert view.pid is not None and not alive(view.pid)
    assert cli("delete", "Sport", "--yes").returncode == 0
    assert [document.spec["name"] for document in await client.channels()] == ["News HD"]
    assert "stop ordered" in cli("events").stdout
    assert " WORKER  start " in cli("logs", "News HD", "-n", "500").stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("bitrate: 100k", "bitrate: plenty", "channels[0].renditions[0].video.bitrate"),
        ("size: 160x90", "size: 160x91", "channels[0].renditions[0].video.size"),
        ("url: hls://news-hd", "url: hls://../../etc", "channels[0].outputs[0].url"),
        ("url: hls://sport", "url: hls://news-hd", "channels[1].outputs[0].url"),
        ("version: 1", "version: 7", "version"),
        ("- name: Sport", "- name: News HD", "channels[1].name"),
        ("segment: 1s", "segment: 1500ms", "channels[0].outputs[0].segment"),
    ],
)
async def test_a_wrong_line_up_is_refused_with_field_and_remedy_and_changes_nothing(
    client: WorkerClient, cli: Any, lineup: Path, old: str, new: str, field: str
) -> None:
    text = lineup.read_text()
    assert old in text
    lineup.write_text(text.replace(old, new, 1))

    refused = cli("apply", str(lineup))

    assert refused.returncode == 3
    assert field in refused.stderr
    assert ";" in refused.stderr.split(field, 1)[1], "a remedy follows the fault"
    assert "Traceback" not in refused.stderr
    assert await client.channels() == []


async def test_exit_codes_tell_what_went_wrong(client: WorkerClient, cli: Any) -> None:
    await client.create(channel("News HD", autostart=False))

    unknown = cli("start", "Newz HD")
    assert (unknown.returncode, "News HD" in unknown.stderr) == (4, True)
    assert cli("start").returncode == 2
    assert cli("frobnicate").returncode == 2
    assert cli("apply", "/no/such/file.yaml").returncode == 3
    assert cli("apply", "-", stdin="channels: [").returncode == 3
    status = json.loads(cli("worker", "status", "--json").stdout)
    assert {"pid", "keeper_pid", "socket", "version", "uptime_s"} <= set(status)
    assert cli("worker", "stop").returncode == 0
    assert cli("worker", "status").returncode == 5
    assert cli("channels").returncode == 5


def test_doctor_works_without_a_worker(cli: Any) -> None:
    checks = json.loads(cli("doctor", "--json").stdout)

    names = " ".join(str(check) for check in checks).lower()
    assert all(word in names for word in ("ffmpeg", "multicast", "interface", "disk"))


@pytest.mark.long
async def test_the_machine_can_be_read_as_json(client: WorkerClient, cli: Any) -> None:
    interfaces = json.loads(cli("interfaces", "--json").stdout)
    metrics = json.loads(cli("metrics", "--json").stdout)

    assert "127.0.0.1" in next(entry for entry in interfaces if entry["name"] == "lo")["addresses"]
    assert metrics["system"]["ram_total"] > metrics["system"]["ram_used"] > 0
    assert "lo" in [nic["name"] for nic in metrics["system"]["nics"]]
    assert metrics["worker"]["pid"] == (await client.worker()).pid


@pytest.mark.long
async def test_a_source_is_changed_by_its_number_and_show_says_what_is_in_use(
    client: WorkerClient, cli: Any, wait: Wait
) -> None:
    tones = [{"url": f"test://bars?size=160x90&fps=25&tone={hertz}"} for hertz in (440, 880)]
    created = await client.create(channel("News HD", sources=tones))
    await wait(created.id, is_running)

    changed = cli("switch", "news hd", "2")
    assert (changed.returncode, changed.stderr) == (0, "")
    assert changed.stdout.startswith("News HD  changes to source 2 of 2, test://bars?size=160x90&fps=25&tone=880; now ")
    await wait(created.id, lambda row: is_running(row) and row.source_index == 1 and row.is_unwell)

    shown = cli("show", "News HD").stdout
    assert shown.startswith("News HD  ▲ on backup source\n")
    assert "2  test://bars?size=160x90&fps=25&tone=880 (in use, chosen by an operator)" in shown
    assert "off air at the last interruption" in shown
    (row,) = json.loads(cli("channels", "--json").stdout)
    assert (row["health"], row["pinned"], row["alarms"][0]["health"]) == ("on backup source", True, "on backup source")
    assert cli("switch", "News HD", "3").returncode == 3
    assert cli("stop", "News HD").returncode == 0
    refused = cli("switch", "News HD", "1")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "start it first" in refused.stderr


@pytest.mark.long
async def test_what_ffmpeg_said_before_it_failed_is_read_with_the_history(
    client: WorkerClient, cli: Any, wait: Wait
) -> None:
    created = await client.create(channel("Dead", sources=[{"url": "http://127.0.0.1:1/x.ts"}]))
    row = await wait(created.id, lambda row: row.status == Status.RETRYING and row.attempt >= 2)
    assert row.health != Health.OK, "off air against its will, although FFmpeg ended by itself"

    assert "Connection refused" not in cli("events").stdout
    assert "Connection refused" in cli("events", "--log").stdout
