"""What else the console shows and changes: ladders of the operator's own, settings, and the whole history."""

import getpass
from collections.abc import Iterator
from typing import Any

import pytest
from worker_rig import channel

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.event import EventKind
from transcoder_tui.settings import Settings


@pytest.fixture(autouse=True)
def no_own_ladders(settings: Settings) -> Iterator[None]:
    yield
    settings.ladders.unlink(missing_ok=True)


def rungs(bitrate: str = "100k") -> list[dict[str, Any]]:
    video = {"size": "160x90", "fps": 25, "bitrate": bitrate, "gop": "1s"}
    return [{"name": "90p", "video": video, "audio": {"bitrate": "32k"}}]


async def own(client: WorkerClient) -> dict[str, bool]:
    """The operator's own ladders, and whether each hides one that comes along."""
    return {ladder.name: ladder.overrides for ladder in await client.ladders() if ladder.own}


async def test_a_ladder_is_stored_changed_renamed_and_deleted(client: WorkerClient, settings: Settings) -> None:
    created = await client.put_ladder("tiny", {"help": "for phones", "renditions": rungs()})
    changed = await client.put_ladder("tiny", {"name": "tiny", "renditions": rungs("200k")})
    kept = await own(client)
    renamed = await client.put_ladder("tiny", {"name": "small", "renditions": rungs("200k")})
    names = await own(client)
    used = channel("Uses it", autostart=False, ladder="small")
    del used["renditions"]
    await client.apply({"version": 1, "channels": [used]})
    await client.delete_ladder("small")

    assert (created.own, created.help, created.renditions[0].video.bitrate) == (True, "for phones", 100_000)
    assert changed.renditions[0].video.bitrate == 200_000
    assert (kept, names, renamed.name) == ({"tiny": False}, {"small": False}, "small")
    assert await own(client) == {}
    [document] = await client.channels()
    assert document.spec["renditions"][0]["video"]["bitrate"] == "200k"
    words = [event.message for event in await client.events(limit=20, kinds=[EventKind.CONFIG]) if not event.channel]
    assert words[-2:] == ["ladder small stored", "ladder small deleted"]
    assert not (settings.data_dir / "ladders.yaml.new").exists()


async def test_one_that_comes_along_can_be_replaced_and_is_back_after_that(client: WorkerClient) -> None:
    before = next(ladder for ladder in await client.ladders() if ladder.name == "web")

    replaced = await client.put_ladder("web", {"renditions": rungs()})
    shown = await own(client)
    await client.delete_ladder("web")

    assert (before.own, replaced.own, replaced.overrides, shown) == (False, True, True, {"web": True})
    assert next(ladder for ladder in await client.ladders() if ladder.name == "web") == before


async def test_what_an_operator_wrote_by_hand_is_kept_beside_it(client: WorkerClient, settings: Settings) -> None:
    by_hand = (
        "# the night shift's\nversion: 1\nladders:\n- {name: mine, renditions: [{name: r, video: {bitrate: 1M}}]}\n"
    )
    settings.ladders.write_text(by_hand)
    await client.put_ladder("tiny", {"renditions": rungs()})
    await client.put_ladder("tiny", {"renditions": rungs("200k")})

    assert set(await own(client)) == {"mine", "tiny"}
    assert (settings.data_dir / "ladders.yaml.bak").read_text() == by_hand


@pytest.mark.parametrize(
    ("name", "document", "field", "words"),
    [
        ("tiny", {"renditions": []}, "renditions", "is empty"),
        ("tiny", {"renditions": [{"name": "a", "video": {"bitrate": "fast"}}]}, "renditions[0].video.bitrate", "fast"),
        ("no blank", {"renditions": rungs()}, "name", ""),
        ("tiny", {"name": "other", "renditions": rungs()}, "name", "already"),
    ],
)
async def test_a_wrong_ladder_is_refused_with_its_field(
    client: WorkerClient, name: str, document: dict[str, Any], field: str, words: str
) -> None:
    await client.put_ladder("other", {"renditions": rungs()})

    with pytest.raises(InvalidInput) as refused:
        await client.put_ladder(name, document)

    assert refused.value.faults[0].field == field
    assert words in refused.value.faults[0].fault
    assert await own(client) == {"other": False}


async def test_only_own_ladders_can_be_deleted(client: WorkerClient) -> None:
    for name, words in (("web", "comes along"), ("nowhere?%", "no ladder")):
        with pytest.raises(InvalidInput, match=words):
            await client.delete_ladder(name)


async def test_settings_are_told_with_their_origin(client: WorkerClient, settings: Settings) -> None:
    told = {setting.name: setting for setting in await client.settings()}

    assert list(told)[:3] == ["data_dir", "run_dir", "media_roots"]
    assert (told["data_dir"].value, told["data_dir"].origin) == (
        str(settings.data_dir),
        "environment TRANSCODER_DATA_DIR",
    )
    stall = told["watchdog.stall_s"]
    assert (stall.value, stall.default, stall.origin) == (4, 15, "environment TRANSCODER_WATCHDOG__STALL_S")
    assert told["retry.attempts"].is_default
    assert all(setting.help for setting in told.values())


async def test_the_history_is_read_backwards_page_by_page_and_by_kind(client: WorkerClient) -> None:
    created = await client.create(channel("Paged", autostart=False))
    for priority in range(60, 66):
        await client.change(created.id, channel("Paged", autostart=False, priority=priority))
    await client.order(created.id, "stop")

    pages, before = [], None
    while page := await client.events(3, created.id, before=before):
        pages.append([event.message for event in page])
        before = page[0].id

    assert pages == [
        ["changed: priority"] * 3,
        ["changed: priority"] * 3,
        ["created"],
    ]
    kinds = [EventKind.CONFIG, EventKind.ORDER]
    some = await client.events(100, kinds=kinds)
    assert {event.kind for event in some} <= set(kinds)
    assert [event.id for event in some] == sorted(event.id for event in some)
    assert all(event.actor == getpass.getuser() for event in some)
