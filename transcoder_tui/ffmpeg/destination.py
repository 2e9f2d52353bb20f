"""One output as FFmpeg writes it: what every kind of output has in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.plan import Plan
from transcoder_tui.ffmpeg.texts import Text, carried_texts
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.containers import CONTAINERS
from transcoder_tui.models.output import Output
from transcoder_tui.models.rendition import Rendition

MUX_DELAY_US = 700_000
"""Microseconds between a packet's PCR and its DTS; FFmpeg's own default for plain outputs, which tee does not hand
on: without it a slave with a muxrate reports ``dts < pcr`` all the time."""
NETWORK_TIMEOUT_US = 5_000_000
"""Microseconds after which a frozen peer counts as gone."""

APART = {"drop_pkts_on_overflow": "1", "queue_size": "600"}
"""Options of the fifo muxer for an output that must not hold up the others. FFmpeg's default queue of 60 packets is
about a second."""
RECOVERY = {
    **APART,
    "attempt_recovery": "1",
    "recover_any_error": "1",
    "recovery_wait_time": "2",
    "restart_with_keyframe": "1",
}
"""The same for one that is opened again and again after it failed, such as a server that may come and go."""


@dataclass(frozen=True)
class Destination:
    """One output as FFmpeg writes it, alone or as a slave of tee."""

    muxer: str
    """FFmpeg's name of the container."""
    url: str
    """Where it goes."""
    streams: tuple[str, ...]
    """The streams that it carries, such as ``("v:0", "a:0", "s")``."""
    protocols: str
    """The protocols that it may use."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of container and protocol."""
    global_header: bool = False
    """Whether the container wants parameter sets once, in its header, instead of in the stream."""
    fifo: Mapping[str, str] = field(default_factory=dict)
    """How it is kept apart from the other outputs: options of the fifo muxer. Empty where a failure ends FFmpeg."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Bitstream filters, by the stream that each is for."""
    waits: bool = False
    """Whether it waits for a peer, and so is kept apart even where it is the only output."""

    @property
    def on_disk(self) -> bool:
        """Whether it writes to files."""
        return "file" in self.protocols.split(",")


@dataclass(frozen=True)
class Job:
    """One output that is to be written."""

    spec: ChannelSpec
    output: Output
    host: HostFacts
    plan: Plan
    field: str
    """Path of the output in the document."""
    texts: Sequence[Text] = ()
    """The subtitles that become WebVTT: the first subtitles of the command, before those that are copied."""
    copied: int = 0
    """How many subtitles are copied, where it is known."""

    @property
    def carried(self) -> list[Rendition]:
        """The renditions that it carries."""
        return self.spec.carried(self.output)

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams that it carries."""
        return (*self.plan.streams(self.carried), *self._beside)

    @property
    def _beside(self) -> tuple[str, ...]:
        if texts := carried_texts(self.spec, self.output, self.texts):
            return tuple(f"s:{number}" for number in range(len(texts)))
        if not CONTAINERS[self.output.container].accompanied or not self.spec.is_accompanied:
            return ()
        if not self.texts:
            return ("s", "d")
        return (*(f"s:{len(self.texts) + number}" for number in range(self.copied)), "d")
