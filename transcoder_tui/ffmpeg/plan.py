"""Which streams one FFmpeg encodes: each rendition that an output carries once, each distinct sound once."""

from collections.abc import Sequence
from dataclasses import dataclass

from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.rendition import Audio, Rendition


@dataclass(frozen=True)
class Plan:
    """The encoded streams; their order is that of FFmpeg's output streams, pictures first."""

    renditions: tuple[Rendition, ...]
    """The rungs that some output carries, in the ladder's order; the n-th is stream ``v:n``."""
    audios: tuple[Audio, ...]
    """The distinct sounds of those rungs; the n-th is stream ``a:n``."""

    def video(self, rendition: Rendition) -> int:
        """The number of a rung's picture among the encoded pictures."""
        return self.renditions.index(rendition)

    def audio(self, rendition: Rendition) -> int | None:
        """The number of a rung's sound among the encoded sounds; None where it has none."""
        return None if rendition.audio is None else self.audios.index(rendition.audio)

    def streams(self, renditions: Sequence[Rendition]) -> tuple[str, ...]:
        """The streams that hold some rungs, such as ``("v:0", "v:1", "a:0")``, in the order of mapping."""
        videos = sorted(self.video(rendition) for rendition in renditions)
        audios = sorted({number for rendition in renditions if (number := self.audio(rendition)) is not None})
        return (*(f"v:{number}" for number in videos), *(f"a:{number}" for number in audios))


def plan_streams(spec: ChannelSpec) -> Plan:
    """Decides what is encoded for a channel."""
    wanted = {rendition.name for output in spec.outputs for rendition in spec.carried(output)}
    renditions = tuple(rendition for rendition in spec.renditions if rendition.name in wanted)
    audios: list[Audio] = []
    for rendition in renditions:
        if rendition.audio is not None and rendition.audio not in audios:
            audios.append(rendition.audio)
    return Plan(renditions, tuple(audios))
