"""Where a channel's picture and sound come from."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from transcoder_tui.models.address import (
    Address,
    parse_address,
    require_file,
    require_host,
    require_port,
    require_query,
)
from transcoder_tui.models.faults import refuse
from transcoder_tui.models.field import about, refuse_foreign
from transcoder_tui.models.units import check_size, parse_fps

SCHEMES = ("udp", "http", "https", "rtmp", "rtmps", "srt", "file", "test")
"""The address schemes of sources; each kind's argv is in ``ffmpeg/inputs.py``."""

SRT_LATENCY_MS = (20, 8000)
"""Receiver latency that SRT peers negotiate in practice, in milliseconds."""
SRT_PASSPHRASE = (10, 64)
"""Lengths of passphrase that libsrt accepts (SRTO_PASSPHRASE)."""


def parse_source(text: str) -> Address:
    """The address of a source, checked for its kind.

    Raises:
        PydanticCustomError: With what is wrong and what would be right.
    """
    address = parse_address(text, SCHEMES)
    if address.scheme == "udp":
        require_host(address)
        require_port(address)
        require_query(address, ())
    elif address.scheme == "srt":
        _check_srt(address)
    elif address.scheme == "file":
        require_file(address)
    elif address.scheme == "test":
        _check_test(address)
    else:
        require_host(address)
    return address


def _check_srt(address: Address) -> None:
    require_port(address)
    require_query(address, ("mode", "latency", "passphrase", "streamid"))
    mode = address.query.get("mode", "caller")
    if mode not in ("caller", "listener"):
        raise refuse(f"mode {mode!r} is unknown to SRT sources", "choose mode=caller or mode=listener")
    if mode == "caller":
        require_host(address)
    low, high = SRT_LATENCY_MS
    latency = address.query.get("latency", str(low))
    if not latency.isdigit() or not low <= int(latency) <= high:
        raise refuse(f"latency {latency!r} is out of range", f"write milliseconds, {low} to {high}")
    shortest, longest = SRT_PASSPHRASE
    if "passphrase" in address.query and not shortest <= len(address.query["passphrase"]) <= longest:
        raise refuse("the passphrase has the wrong length", f"SRT wants {shortest} to {longest} characters")


def _check_test(address: Address) -> None:
    if address.host != "bars" or address.path.strip("/"):
        raise refuse(f"{address.text!r} is no test pattern", "write test://bars?size=1280x720&fps=25")
    require_query(address, ("size", "fps", "tone"))
    check_size(address.query.get("size", "1280x720"))
    fps = parse_fps(address.query.get("fps", "25"))
    if not isinstance(fps, float) or not 1 <= fps <= 120:
        raise refuse(f"fps {address.query['fps']!r} is out of range", "write frames per second, 1 to 120")
    tone = address.query.get("tone", "1000")
    if not tone.isdigit() or not 20 <= int(tone) <= 20_000:
        raise refuse(f"tone {tone!r} is out of range", "write hertz, 20 to 20000")


def _check(text: str) -> str:
    return parse_source(text).text


class Source(BaseModel):
    """One input of a channel. The first in the list is the primary, the others are its backups."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, AfterValidator(_check)] = about(
        "Where the picture comes from: udp:// (multicast or unicast), http(s):// (HLS or TS), rtmp://, srt://, "
        "file:// (looped in real time) or test://bars?size=1280x720&fps=25.",
        label="Address",
        example="udp://239.1.1.1:5000",
    )
    interface: str | None = about(
        "Network interface on which the multicast group is joined, by name or by address. "
        "Without it the routing table chooses.",
        label="Interface",
        example="eth1",
        kinds=("udp",),
        default=None,
        min_length=1,
        max_length=64,
    )

    @model_validator(mode="after")
    def _fields_belong(self) -> "Source":
        refuse_foreign(self, self.address.scheme)
        return self

    @property
    def address(self) -> Address:
        """The address taken apart."""
        return parse_source(self.url)

    @property
    def words(self) -> str:
        """Address and interface in a few words, secrets masked: ``udp://239.1.1.1:5000 on eth1``."""
        return self.address.masked + (f" on {self.interface}" if self.interface else "")

    @property
    def listens_on(self) -> str | None:
        """The port that only one program can receive on; None where others may receive too, or it is elsewhere."""
        address = self.address
        if address.scheme == "udp" and not address.is_multicast:
            return f"udp://{address.authority}"
        if address.scheme == "srt" and address.query.get("mode") == "listener":
            return f"srt://:{address.port}"
        return None
