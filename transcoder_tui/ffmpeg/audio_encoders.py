"""What each encoder of sound is told; a new codec is one entry in :data:`AUDIO_ENCODERS`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from transcoder_tui.models.rendition import Audio


@dataclass(frozen=True)
class AudioEncoder:
    """How one codec of sound is encoded."""

    name: str
    """FFmpeg's name of the encoder."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Options beside bitrate, sampling rate and channels."""

    def options(self, audio: Audio) -> dict[str, str]:
        """Its options, without stream specifiers."""
        common = {"b": str(audio.bitrate), "ar": str(audio.sample_rate), "ac": str(audio.channels)}
        return {**common, **self.fixed}


AUDIO_ENCODERS: Mapping[str, AudioEncoder] = {
    "aac": AudioEncoder("aac"),
    # The only encoder of HE-AAC that FFmpeg knows; its licence keeps it out of most builds.
    "he-aac": AudioEncoder("libfdk_aac", {"profile": "aac_he"}),
    "mp2": AudioEncoder("mp2"),
    "ac3": AudioEncoder("ac3"),
    "eac3": AudioEncoder("eac3"),
    # FFmpeg's own encoder of Opus is experimental.
    "opus": AudioEncoder("libopus"),
}
"""Encoder of each value of :attr:`Audio.codec` but copy."""
