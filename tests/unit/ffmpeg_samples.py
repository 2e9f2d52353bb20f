"""Channels, a host and an FFmpeg for tests of the command builder."""

from pathlib import Path
from typing import Any

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import Command, HostFacts, build_command
from transcoder_tui.models.channel import ChannelSpec

BINARY = Binary(Path("/usr/bin/ffmpeg"), "5.1.9-0+deb12u1", (57, 28), "PATH", frozenset({"libx264", "aac"}))
HOST = HostFacts(
    interfaces={"lo": ["127.0.0.1"], "eth1": ["192.0.2.7", "192.0.2.8"]},
    media_roots=[Path("/srv/media"), Path("/srv/more")],
    hls_root=Path("/srv/hls"),
)


def rung(name: str, size: str = "320x180", *, audio: str | None = "64k", **video: Any) -> dict[str, Any]:
    return {
        "name": name,
        "video": {"size": size, "bitrate": "300k", **video},
        "audio": None if audio is None else {"bitrate": audio},
    }


def channel(
    *outputs: dict[str, Any],
    source: str = "test://bars",
    interface: str | None = None,
    renditions: list[dict[str, Any]] | None = None,
    name: str = "News HD",
) -> ChannelSpec:
    return ChannelSpec.model_validate(
        {
            "name": name,
            "sources": [{"url": source, "interface": interface}],
            "renditions": renditions or [rung("only")],
            "outputs": list(outputs) or [{"url": "udp://239.2.1.1:5000"}],
        }
    )


def command(*outputs: dict[str, Any], **fields: Any) -> Command:
    return build_command(channel(*outputs, **fields), BINARY, HOST)


def value_of(built: Command, option: str) -> str:
    """The value behind an option that is given once."""
    assert built.argv.count(option) == 1, f"{option} is given {built.argv.count(option)} times"
    return built.argv[built.argv.index(option) + 1]


def graphs_of(built: Command) -> str:
    """Its filter graphs as one."""
    return ";".join(built.argv[index + 1] for index, option in enumerate(built.argv) if option == "-filter_complex")


def read_from(built: Command) -> list[str]:
    """The addresses behind each -i."""
    return [built.argv[index + 1] for index, argument in enumerate(built.argv) if argument == "-i"]
