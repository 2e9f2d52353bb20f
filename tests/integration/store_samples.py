"""Channels and events that the tests of the store keep, and a database as the first version wrote it."""

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config

from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import Event, EventFields, EventKind
from transcoder_tui.models.job import JobFields
from transcoder_tui.store import migrations
from transcoder_tui.store.engine import make_engine
from transcoder_tui.store.store import Entry, Store

OTHER_NAMESPACE = ("unshare", "--map-root-user", "--mount")
"""Runs a program that may mount disks which nobody else sees."""

VERSION_1 = """
INSERT INTO channel VALUES (3, 'One', 'one', NULL, 70, 1, 2, '2026-03-01 03:00:00', '2026-03-01 04:00:00');
INSERT INTO channel VALUES (7, 'Two', 'two', 'News', 50, 0, 1, '2026-03-01 03:00:00', '2026-03-01 03:00:00');
INSERT INTO source VALUES (1, 3, 0, 'udp://239.1.1.1:5000', 'eth0'), (2, 3, 1, 'test://bars', NULL);
INSERT INTO source VALUES (3, 7, 0, 'test://bars', NULL);
INSERT INTO rendition VALUES (1, 3, 0, 'sd', '{"size": "640x360", "bitrate": 800000}', NULL);
INSERT INTO rendition VALUES (2, 7, 0, 'sd', '{"size": "640x360", "bitrate": 800000}', NULL);
INSERT INTO output VALUES (1, 3, 0, 'hls://one', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO output VALUES (2, 7, 0, 'hls://two', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO job VALUES (3, 'running', 5, 'running', '2026-03-01 03:00:00', 'r1', 4711, 99, 'b00t',
    '2026-03-01 03:00:05', 0, NULL, 1, NULL, '', '', 1);
INSERT INTO job VALUES (7, 'stopped', 2, 'error', NULL, NULL, NULL, NULL, NULL, NULL, 5, NULL, 4, 1, 'gone', '', 0);
INSERT INTO event VALUES (41, '2026-03-01 03:00:05', 'state', 'info', 3, 'One', 'on air', 'worker');
INSERT INTO revision VALUES (1, 3, 1, '2026-03-01 03:00:00', 'anna', '{"name": "One"}');
"""


def channel(name: str, **changes: Any) -> ChannelSpec:
    """A small valid channel."""
    document: dict[str, Any] = {
        "name": name,
        "sources": [{"url": "test://bars"}],
        "renditions": [{"name": "sd", "video": {"size": "640x360", "bitrate": "800k"}}],
        "outputs": [{"url": f"hls://{name.encode().hex()}"}],
    }
    return ChannelSpec.model_validate(document | changes)


def full_channel() -> ChannelSpec:
    """A channel that uses every field: a ladder, a silent rung, NTSC rates, backups and secrets."""
    return ChannelSpec.model_validate(
        {
            "name": "Größe 24",
            "group": "Nachrichten",
            "priority": 90,
            "autostart": False,
            "nice": 5,
            "cpus": "0-3,8",
            "memory": "2G",
            "sources": [
                {"url": "udp://239.1.1.1:5000", "interface": "eth1"},
                {"url": "srt://10.0.0.1:9000?mode=caller&passphrase=correct-horse"},
                {"url": "file:///srv/media/slate.ts"},
            ],
            "renditions": [
                {
                    "name": "1080p",
                    "video": {
                        "size": "1920x1080",
                        "fps": "29.97",
                        "bitrate": "5000k",
                        "preset": "fast",
                        "gop": "2002ms",
                    },
                    "audio": {"bitrate": "192k", "sample_rate": 44100, "channels": 6},
                },
                {
                    "name": "720p",
                    "video": {"size": "1280x720", "fps": "30000/1001", "bitrate": "2500k", "gop": "2002ms"},
                    "audio": None,
                },
            ],
            "outputs": [
                {"url": "hls://news/hd", "segment": "4004ms", "window": 10},
                {
                    "url": "udp://239.2.1.1:5000",
                    "rendition": "1080p",
                    "interface": "eth2",
                    "ttl": 4,
                    "muxrate": "6500k",
                },
                {"url": "rtmp://ingest.example/live/secret-key", "rendition": "720p"},
            ],
        }
    )


def event(message: str, **changes: Any) -> EventFields:
    """An event of a fixed moment."""
    return EventFields.model_validate(
        {"at": datetime(2026, 3, 1, 3, 0, 0, 123456, UTC), "kind": EventKind.STATE, "message": message} | changes
    )


async def add_events(store: Store, events: Sequence[EventFields]) -> list[Event]:
    """Writes history."""
    return await store.save([Entry(events=events)])


async def save_job(store: Store, channel_id: int, job: JobFields, events: Sequence[EventFields] = ()) -> list[Event]:
    """Writes a job together with the history of what changed it."""
    return await store.save([Entry(channel_id, job, events)])


def make_version_1(path: Path) -> None:
    """A database of the first schema with two channels, their jobs and a history."""
    config = Config()
    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    engine = make_engine(path)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with sqlite3.connect(path) as connection:
        connection.executescript(VERSION_1)
    connection.close()


def scribble(path: Path, offset: int, length: int, byte: int = 0xA5) -> None:
    """Spoils a part of a file; in another process, because closing a file drops this one's locks on it."""
    program = "import sys; f = open(sys.argv[1], 'r+b'); f.seek(int(sys.argv[2])); f.write(b'%c' * int(sys.argv[3]))"
    subprocess.run(
        [sys.executable, "-c", program.replace("%c", f"\\x{byte:02x}"), path, str(offset), str(length)], check=True
    )


def namespaces_are_allowed() -> bool:
    """Whether :data:`OTHER_NAMESPACE` works here."""
    if shutil.which("unshare") is None:
        return False
    mount = ["mount", "-t", "tmpfs", "tmpfs", tempfile.gettempdir()]
    return subprocess.run([*OTHER_NAMESPACE, *mount], capture_output=True).returncode == 0
