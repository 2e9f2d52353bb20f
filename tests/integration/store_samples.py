"""Channels and events that the tests of the store keep."""

from datetime import UTC, datetime
from typing import Any

from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import EventFields, EventKind


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
