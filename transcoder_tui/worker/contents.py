"""What the rungs of a ladder hold, read from their segments: for master playlists in which FFmpeg does not say it."""

import re
from pathlib import Path

from transcoder_tui.ffmpeg.codecs import ENCODED, UNKNOWN, Content, content_of_header, content_of_transport_stream
from transcoder_tui.ffmpeg.ladders import HlsTree
from transcoder_tui.ffmpeg.master import segments_of
from transcoder_tui.models.rendition import Rendition

_HEADER = re.compile(r'^#EXT-X-MAP:URI="([^"]+)"', re.MULTILINE)


class Contents:
    """The rungs of one run. Reads files, each once: not for the event loop."""

    def __init__(self) -> None:
        self._headers: dict[Path, Content] = {}
        self._pictures: dict[Path, Content] = {}

    def of_rung(self, playlist: Path, tree: HlsTree) -> Content:
        """The codecs of a rung with its sound, and its picture's size; nothing of what is not known for sure.

        Raises:
            OSError: Where a file cannot be read.
        """
        rendition = tree.rungs[playlist]
        try:
            return self._of_fragments(playlist, tree) or self._of_packets(playlist, rendition, tree) or UNKNOWN
        except FileNotFoundError:
            return UNKNOWN

    def _of_fragments(self, playlist: Path, tree: HlsTree) -> Content | None:
        picture = self._header(playlist)
        audio = tree.rungs[playlist].audio
        beside = next((sound for sound, track in tree.tracks.items() if track.audio == audio), None)
        if picture is None or beside is None:
            return picture
        sound = self._header(beside)
        return None if sound is None else Content((*picture.codecs, *sound.codecs), picture.size)

    def _header(self, playlist: Path) -> Content | None:
        if playlist not in self._headers:
            named = _HEADER.search(playlist.read_text())
            found = content_of_header((playlist.parent / named[1]).read_bytes()) if named else None
            if found is None:
                return None
            self._headers[playlist] = found
        return self._headers[playlist]

    def _of_packets(self, playlist: Path, rendition: Rendition, tree: HlsTree) -> Content | None:
        """A copied picture; FFmpeg always says what it encodes into transport streams."""
        if not rendition.video.is_copy or tree.output.encryption is not None:
            return None
        if playlist not in self._pictures:
            segments = segments_of(playlist.read_text())
            found = content_of_transport_stream((playlist.parent / segments[-1].uri).read_bytes()) if segments else None
            if found is None:
                return None
            self._pictures[playlist] = found
        picture, audio = self._pictures[playlist], rendition.audio
        if audio is None:
            return picture
        return Content((*picture.codecs, ENCODED[audio.codec]) if audio.codec in ENCODED else (), picture.size)
