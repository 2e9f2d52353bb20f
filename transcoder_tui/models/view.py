"""What the worker shows of itself: the documents of the API beyond the channel's own."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain, islice
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field

from transcoder_tui.errors import Fault
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import Event
from transcoder_tui.models.health import Alarm, Health
from transcoder_tui.models.job import JobFields, Status, Wanted


class ChannelDocument(BaseModel):
    """A stored channel."""

    id: int
    revision: int
    """Counts its changes; send it along with a change, so that nobody's work is overwritten."""
    spec: dict[str, Any]
    """The channel as :meth:`ChannelSpec.document` writes it."""
    warnings: list[Fault] = []
    """After a change: what may keep it off the air and can heal."""

    def parsed(self) -> ChannelSpec:
        """The validated channel."""
        return ChannelSpec.model_validate(self.spec)


class JobView(JobFields):
    """A job as the API shows it."""

    id: int
    channel: str


class Telemetry(BaseModel):
    """How a channel's FFmpeg does right now. None is: not known, or not on air."""

    fps: float | None = None
    """Frames encoded per second, over the last seconds."""
    speed: float | None = None
    """Media time per wall time, over the last 10 s; 1.0 is real time."""
    bitrate: float | None = None
    """Bits per second that leave, over the last seconds."""
    drops: int | None = None
    """Frames dropped since start, all renditions."""
    drops_per_min: int | None = None
    """Of these, in the last minute (50 to 60 s); likewise for the other counters."""
    dups: int | None = None
    """Frames repeated since start, all renditions."""
    dups_per_min: int | None = None
    corrupt: int | None = None
    """Packets of picture and sound (PES) of the source that came in part, since it is on air: what a continuity error
    (CC) becomes. FFmpeg does not log continuity errors themselves: several within one packet count once, and those in
    tables or null packets do not count. In a flood of the log (over 500 lines a second) at least so many."""
    corrupt_per_min: int | None = None
    lost: int | None = None
    """Datagrams of RTP and SRT sources that never arrived, by their sequence numbers."""
    lost_per_min: int | None = None
    undecoded: int | None = None
    """Pictures and pieces of sound of the source that could not be decoded whole."""
    undecoded_per_min: int | None = None
    overrun: int | None = None
    """Datagrams that this machine threw away because FFmpeg did not take them in time: by the kernel (``drops`` in
    /proc/net/udp, looked at every 5 s) and by FFmpeg's own buffer."""
    overrun_per_min: int | None = None
    media_s: float | None = None
    """Media time since start."""
    cpu_percent: float | None = None
    """Of one core."""
    rss_bytes: int | None = None
    """Resident memory."""
    output_bps: list[int | None] = []
    """Bits per second of each output, in the order of :attr:`ChannelView.outputs`: of transport streams their constant
    rate, as far as media advances in real time; of recordings, how their files grow; of ladders, what their last
    segments take together. Empty where nothing is known of any."""
    rendition_bps: list[int | None] = []
    """Bits per second that the last segments of each rendition take, with its sound, in the order of
    :attr:`ChannelView.renditions`; known of ladders. Empty where nothing is known of any."""


class PictureEncoder(BaseModel):
    """What encodes the picture of a rendition."""

    rendition: str
    encoder: str
    """FFmpeg's name of it, such as ``h264_nvenc``."""
    reason: str = ""
    """Why it is software although the rendition allows hardware that this host might have."""
    fallback: bool = False
    """Whether the rendition names hardware, and this replaces it."""

    @property
    def words(self) -> str:
        """``1080p by h264_nvenc``, or ``1080p by libx264, nvenc: Cannot load libcuda.so.1``."""
        return f"{self.rendition} by {self.encoder}{f', {self.reason}' if self.reason else ''}"


class ChannelView(BaseModel):
    """One row of the console's table."""

    id: int
    revision: int
    name: str
    group: str | None = None
    priority: int = 50
    source: str
    """Address of the active source, secrets masked."""
    interface: str | None = None
    source_index: int = 0
    sources: int = 1
    renditions: list[str]
    """Each rung in a few words, such as ``1080p 1920x1080 25 fps 5000k``."""
    outputs: list[str]
    """Address of each output, secrets masked."""
    wanted: Wanted
    status: Status
    since: datetime | None = None
    on_air_since: datetime | None = None
    pid: int | None = None
    attempt: int = 0
    max_attempts: int = 5
    next_retry_at: datetime | None = None
    restarts: int = 0
    message: str = ""
    """Why it is not on air or not well."""
    remedy: str = ""
    health: Health = Health.OK
    """The gravest alarm; ``off air`` also where there is none, while a channel that failed is not back on air."""
    alarms: list[Alarm] = []
    """What is the matter, the gravest first."""
    pinned: bool = False
    """Whether an operator chose the source."""
    gap_s: float | None = None
    """Seconds without media progress the last time that it left the air against its will and came back."""
    limits: str = ""
    """The limits in force for its FFmpeg, in words."""
    encoders: list[PictureEncoder] = []
    """What encodes each picture at present; empty where no FFmpeg runs."""
    telemetry: Telemetry = Telemetry()

    @property
    def is_unwell(self) -> bool:
        """Whether it is on air and something is the matter with it."""
        return self.status is Status.RUNNING and self.health is not Health.OK

    @property
    def is_alarmed(self) -> bool:
        """Whether it has an alarm that nobody has acknowledged."""
        return any(not alarm.acknowledged_by for alarm in self.alarms)


class Nic(BaseModel):
    """One network interface over the last second."""

    name: str
    up: bool
    rx_bps: float
    tx_bps: float
    speed_mbps: int = 0
    """Link speed in Mb/s; 0 where the driver does not say."""


class SystemSample(BaseModel):
    """The machine over the last second."""

    at: datetime
    cpu_percent: float
    """Over all cores: 100 is all of them busy."""
    cores: int
    load: float
    """One minute load average."""
    ram_used: int
    """Bytes."""
    ram_total: int
    disk_free: int
    """Bytes free where the HLS root lies."""
    disk_total: int
    nics: list[Nic]


class Interface(BaseModel):
    """A network interface that channels can use."""

    name: str
    up: bool
    addresses: list[str]
    multicast: bool
    speed_mbps: int = 0
    mtu: int = 0


class WorkerView(BaseModel):
    """The worker itself."""

    pid: int
    keeper_pid: int | None = None
    socket: str
    version: str
    uptime_s: float
    host: str
    ffmpeg: str
    """Path of the FFmpeg in use."""
    ffmpeg_version: str
    data_dir: str
    database: str = "ok"
    """``ok``, or why orders cannot be stored at present."""
    unsaved_events: int = 0
    """Events that wait in memory because the database cannot be written."""
    lost_events: int = 0
    """Events that memory did not hold meanwhile."""
    starting: int = 0
    """Channels that wait for their turn to start."""


class Metrics(BaseModel):
    """The machine, the worker and every channel's figures."""

    worker: WorkerView
    system: SystemSample
    channels: list[ChannelView]


ROWS_AT_ONCE = 40
"""Rows in one line of the live stream: to read 1,000 in one go would hold up the keys of a console for 15 ms."""
FIGURES_AT_ONCE = 200
"""Likewise, of rows in which nothing but figures changed."""


class Part(BaseModel):
    """What belongs to the next snapshot or delta of the live stream, which comes in several lines."""

    type: Literal["part"] = "part"
    rows: list[ChannelView] = []
    figures: dict[int, Telemetry] = {}


def _parts_of(rows: list[ChannelView], figures: Mapping[int, Telemetry]) -> Iterator[Part]:
    for first in range(0, len(rows), ROWS_AT_ONCE):
        yield Part.model_construct(rows=rows[first : first + ROWS_AT_ONCE])
    told = iter(figures.items())
    while some := dict(islice(told, FIGURES_AT_ONCE)):
        yield Part.model_construct(figures=some)


class Snapshot(BaseModel):
    """The first message of the live stream: everything."""

    type: Literal["snapshot"] = "snapshot"
    at: datetime
    worker: WorkerView
    channels: list[ChannelView] = []
    history: list[SystemSample]
    """The last minutes, oldest first, a second apart; the last one is now."""
    events: list[Event]
    """The latest, oldest first."""

    def parted(self) -> "Iterator[Part | Self]":
        """What goes over the wire, a line each."""
        yield from _parts_of(self.channels, {})
        yield self.model_copy(update={"channels": []})

    def joined(self, parts: Iterable[Part]) -> Self:
        """With what the lines before it held."""
        self.channels += chain.from_iterable(part.rows for part in parts)
        return self


class Delta(BaseModel):
    """What changed since the message before, once a second."""

    type: Literal["delta"] = "delta"
    at: datetime
    worker: WorkerView | None = None
    """The worker itself; None from one that does not tell."""
    changed: list[ChannelView] = []
    """Channels that are new or differ from the message before in more than their figures."""
    figures: dict[int, Telemetry] = {}
    """The figures of the other channels where those differ, by the channel's id."""
    removed: list[int]
    """Ids of channels that are gone."""
    system: SystemSample
    events: list[Event]

    def parted(self) -> "Iterator[Part | Self]":
        """What goes over the wire, a line each."""
        yield from _parts_of(self.changed, self.figures)
        yield self.model_copy(update={"changed": [], "figures": {}})

    def joined(self, parts: Iterable[Part]) -> Self:
        """With what the lines before it held."""
        for part in parts:
            self.changed += part.rows
            self.figures |= part.figures
        return self


StreamMessage = Annotated[Snapshot | Delta | Part, Field(discriminator="type")]


class LogChunk(BaseModel):
    """A part of a channel's log."""

    offset: int
    """Where the text begins, in bytes from the log's first line ever; it only grows, although the log is capped."""
    next_offset: int
    """Where the next part begins."""
    first_offset: int
    """The oldest byte that is still kept."""
    lines: list[str]


class CommandView(BaseModel):
    """The FFmpeg command of a channel, secrets masked."""

    argv: list[str]
    shell: str
    """The same as a line for a shell."""


class Order(BaseModel):
    """The answer to start, stop and restart."""

    channel: str
    job: JobView
    changed: bool
    """False where the channel was already as ordered."""


class Acknowledgement(BaseModel):
    """The answer to an acknowledgement."""

    channel: str
    alarms: list[Alarm]
    """All alarms of the channel, the gravest first."""
    changed: bool
    """False where nothing was left to acknowledge."""


class SourceChoice(BaseModel):
    """The order to change to another source."""

    source: int
    """Its position in the channel's list, from 0."""
