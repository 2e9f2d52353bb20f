"""What a running worker writes, logs and answers shows no password and no stream key, except the document itself."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worker_rig import Wait, channel, row_of

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.settings import Settings

KEYS = ("streamkey-4711", "passphrase-4711", "password-4711", "token-4711")


async def test_secrets_are_in_the_export_and_in_private_files_only(
    client: WorkerClient, wait: Wait, settings: Settings, cli: Callable[..., Any]
) -> None:
    stored = await client.create(
        channel(
            "Keys",
            sources=[{"url": "http://user:password-4711@127.0.0.1:9/a.ts?token=token-4711"}, *channel()["sources"]],
            outputs=[
                {"url": "hls://keys", "segment": "1s"},
                {"url": "rtmp://127.0.0.1:9/live/streamkey-4711"},
                {"url": "srt://127.0.0.1:9?passphrase=passphrase-4711"},
            ],
        )
    )
    row = await row_of(client, stored.id, lambda view: view.restarts >= 1)
    shown = [row.model_dump_json(), (await client.job(stored.id)).model_dump_json()]
    shown.append((await client.command(stored.id)).model_dump_json())
    shown += [event.model_dump_json() for event in await client.events(limit=500)]
    shown.append((await client.metrics()).model_dump_json())
    for asked in (["channels"], ["show", "Keys"], ["command", "Keys"], ["logs", "Keys"], ["events"], ["metrics"]):
        said = cli(*asked)
        assert said.returncode == 0, said.stderr
        shown.append(said.stdout + said.stderr)
    assert "***" in "".join(shown)
    for key in KEYS:
        for text in shown:
            assert key not in text

    exported = cli("export").stdout
    assert all(key in exported for key in KEYS)
    for path in [path for path in settings.data_dir.rglob("*") if path.is_file()]:
        if any(key.encode() in path.read_bytes() for key in KEYS):
            assert path.suffix != ".log", path
            assert _is_private(path, settings.data_dir), path


def _is_private(path: Path, top: Path) -> bool:
    """Whether nobody but the owner can read a file, by its own rights or by those of a directory above it."""
    chain = [path, *(parent for parent in path.parents if parent.is_relative_to(top))]
    return any(not stat.S_IMODE(place.stat().st_mode) & 0o077 for place in chain)
