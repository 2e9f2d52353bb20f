"""What every run needs of its worker."""

from collections.abc import Callable
from dataclasses import dataclass

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.models.event import Event
from transcoder_tui.settings import Settings
from transcoder_tui.store.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """The worker as its runs see it."""

    settings: Settings
    store: Store
    boot_id: str
    binary: Callable[[], Binary]
    """The FFmpeg in use; raises HostFault where there is none."""
    host: Callable[[], HostFacts]
    """The host's facts as of now: interfaces come and go."""
    announce: Callable[[list[Event]], None]
    """Called with every event that was stored."""
