"""Which streams one FFmpeg writes: each rendition that an output carries once, each distinct sound once."""

from collections.abc import Sequence
from dataclasses import dataclass

from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.rendition import Audio, Rendition


@dataclass(frozen=True)
class Sound:
    """One sound track in one encoding."""

    audio: Audio
    track: int
    """Position among the channel's sound tracks, from 0."""


@dataclass(frozen=True)
class Plan:
    """The streams to write; their order is that of FFmpeg's output streams: pictures, sounds, then what is copied."""

    renditions: tuple[Rendition, ...]
    """The rungs that some output carries, in the ladder's order; the n-th is stream ``v:n``."""
    sounds: tuple[Sound, ...]
    """The distinct sounds of those rungs; the n-th is stream ``a:n``."""

    def video(self, rendition: Rendition) -> int:
        """The number of a rung's picture among the pictures."""
        return self.renditions.index(rendition)

    def sounds_of(self, rendition: Rendition) -> tuple[int, ...]:
        """The numbers of a rung's sounds among the sounds, in the order of the tracks; none where it has no sound."""
        return tuple(number for number, sound in enumerate(self.sounds) if sound.audio == rendition.audio)

    def sounds_in(self, renditions: Sequence[Rendition]) -> tuple[int, ...]:
        """The numbers of the sounds of some rungs, each once."""
        return tuple(sorted({number for rendition in renditions for number in self.sounds_of(rendition)}))

    def streams(self, renditions: Sequence[Rendition]) -> tuple[str, ...]:
        """The streams that hold some rungs, such as ``("v:0", "v:1", "a:0")``, in the order of mapping."""
        videos = sorted(self.video(rendition) for rendition in renditions)
        return (*(f"v:{number}" for number in videos), *(f"a:{number}" for number in self.sounds_in(renditions)))


def plan_streams(spec: ChannelSpec) -> Plan:
    """Decides what is written for a channel."""
    wanted = {rendition.name for output in spec.outputs for rendition in spec.carried(output)}
    renditions = tuple(rendition for rendition in spec.renditions if rendition.name in wanted)
    audios: list[Audio] = []
    for rendition in renditions:
        if rendition.audio is not None and rendition.audio not in audios:
            audios.append(rendition.audio)
    return Plan(renditions, tuple(Sound(audio, track) for audio in audios for track in range(len(spec.tracks))))
