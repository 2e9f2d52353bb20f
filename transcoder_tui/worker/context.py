"""What every run needs of its worker."""

from collections.abc import Callable
from dataclasses import dataclass, field

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.models.event import Event
from transcoder_tui.settings import Settings
from transcoder_tui.store.store import Store
from transcoder_tui.worker.cgroup import Ceilings
from transcoder_tui.worker.disk import Disk
from transcoder_tui.worker.gate import Gate
from transcoder_tui.worker.hardware import Hardware
from transcoder_tui.worker.journal import Journal
from transcoder_tui.worker.oom import OomWatch
from transcoder_tui.worker.preflight import Preflights


@dataclass(frozen=True, slots=True)
class Context:
    """The worker as its runs see it."""

    settings: Settings
    store: Store
    journal: Journal
    gate: Gate
    ceilings: Ceilings
    """Where channels with a memory limit get their cgroups."""
    oom: OomWatch
    disk: Disk
    hardware: Hardware
    boot_id: str
    binary: Callable[[], Binary]
    """The FFmpeg in use; raises HostFault where there is none."""
    host: Callable[[], HostFacts]
    """The host's facts as of now: interfaces come and go."""
    announce: Callable[[list[Event]], None]
    """Called with every event that was stored."""
    preflights: Preflights = field(default_factory=Preflights)
    """What was tested of the channels' encoders."""
    links: dict[str, bool] = field(default_factory=dict)
    """For each network interface, whether it had a link at the last look."""
