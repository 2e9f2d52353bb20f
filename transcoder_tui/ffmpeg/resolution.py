"""What must be seen of a source before each start: what is chosen by name, as numbers, and the codecs of its sounds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transcoder_tui.errors import SourceFault
from transcoder_tui.ffmpeg import selection
from transcoder_tui.ffmpeg.adts import asks_for_codec
from transcoder_tui.ffmpeg.texts import PLAIN, TELETEXT, Text
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.probe import Kind, Probe, ProbedProgram, ProbedStream
from transcoder_tui.models.source import Source
from transcoder_tui.models.tracks import ALL, Track, parse_track, tracks_of


@dataclass(frozen=True)
class Resolution:
    """A source as it is at this moment."""

    source: Source
    """With numbers in place of names."""
    codecs: tuple[str, ...]
    """What each sound is encoded with, as FFmpeg names it; empty where it cannot be told."""
    texts: tuple[Text, ...] = ()
    """The subtitles that it is asked for and that are text. With any, those that can be copied have numbers."""


def needs_look(spec: ChannelSpec, source: Source) -> bool:
    """Whether a source must be looked into before FFmpeg can be told what to take of it.

    Of several sounds in one language FFmpeg decodes the first, but would copy all of them.
    """
    copies_sound = any(rendition.audio and rendition.audio.is_copy for rendition in spec.renditions)
    by_language = any(track.pid is None and track.language for track in source.tracks)
    if source.awaited:
        return source.is_chosen_by_name
    if source.subtitles and any(output.address.scheme == "hls" for output in spec.outputs):
        return True
    return source.is_chosen_by_name or (copies_sound and by_language) or asks_for_codec(spec, source)


def resolve(source: Source, found: Probe, field: str) -> Resolution:
    """The source with numbers in place of names, and what its sounds are.

    Args:
        source: The source.
        found: What it carries.
        field: Its path in the document, such as ``sources[0]``.

    Raises:
        SourceFault: Where it has no such program or sound, with what there is.
    """
    program = _program(source, found, f"{field}.program")
    streams = found.streams_of(program) if program else found.streams
    sounds = _of_kind(streams, "audio")
    update: dict[str, object] = {"program": str(program.number) if program and source.program else None}
    if source.audio:
        update["audio"] = _listed(
            _sound(track, sounds, source.address.masked, f"{field}.audio") for track in source.tracks
        )
    for name, kind in _COPIED:
        tracks = getattr(source, name)
        if tracks and tracks != ALL:
            candidates = _of_kind(streams, kind)
            update[name] = _listed(_numbered(track, candidates) for track in tracks_of(tracks))
    numbered = source.model_copy(update=update)
    # A PID stands for itself, whatever program it belongs to.
    everywhere = _of_kind(found.streams, "audio")
    codecs = (_codec(track, everywhere if track.pid is not None else sounds) for track in numbered.tracks)
    subtitles = _subtitles(source, streams, found.streams)
    texts = tuple(
        Text(selection.subtitle(numbered, parse_track(number)), language, stream.codec == TELETEXT)
        for number, language, stream in subtitles
        if stream.codec in (*PLAIN, TELETEXT)
    )
    if texts:
        copied = [number for number, _, stream in subtitles if stream.codec not in PLAIN]
        numbered = numbered.model_copy(update={"subtitles": _listed(copied)})
    return Resolution(numbered, tuple(codecs), texts)


def _subtitles(
    source: Source, streams: Sequence[ProbedStream], everywhere: Sequence[ProbedStream]
) -> list[tuple[str, str, ProbedStream]]:
    """The subtitles that a source is asked for: the number of each, its language, and the stream itself."""
    candidates = _of_kind(streams, "subtitle")
    if source.subtitles is None:
        return []
    if source.subtitles == ALL:
        return [(_number(stream, candidates), stream.language, stream) for stream in candidates]
    found = []
    for track in tracks_of(source.subtitles):
        stream = _stream(track, candidates, _of_kind(everywhere, "subtitle"))
        if stream is not None:
            number = f"{track.pid:#x}" if track.pid is not None else _number(stream, candidates)
            found.append((number, track.language or stream.language, stream))
    return found


def _stream(
    track: Track, candidates: Sequence[ProbedStream], everywhere: Sequence[ProbedStream]
) -> ProbedStream | None:
    if track.pid is not None:
        return next((stream for stream in everywhere if stream.pid == track.pid), None)
    if track.place is not None:
        return candidates[track.place - 1] if track.place <= len(candidates) else None
    return _in_language(track.language, candidates)


_COPIED: Sequence[tuple[str, Kind]] = (("subtitles", "subtitle"), ("data", "data"))


def _program(source: Source, found: Probe, field: str) -> ProbedProgram | None:
    if source.program is None:
        return None
    wanted = source.program.casefold()
    for program in found.programs:
        if wanted in (program.name.strip().casefold(), str(program.number)):
            return program
    there = ", ".join(f"{program.number} {program.name}".strip() for program in found.programs)
    raise SourceFault(
        f"no program {source.program!r} in {source.address.masked}", f"there are: {there or 'none'}", field
    )


def _sound(track: Track, candidates: Sequence[ProbedStream], words: str, field: str) -> str:
    numbered = _numbered(track, candidates)
    if numbered is None:
        there = ", ".join(f"{_number(stream, candidates)} {stream.language}".strip() for stream in candidates)
        raise SourceFault(f"no sound in {track.language!r} in {words}", f"there are: {there or 'none'}", field)
    return numbered


def _numbered(track: Track, candidates: Sequence[ProbedStream]) -> str | None:
    """A track as a list of tracks writes it, without its language where it has a number of its own."""
    if track.pid is not None:
        return f"{track.pid:#x}={track.language}" if track.language else f"{track.pid:#x}"
    if track.place is not None:
        return f"#{track.place}"
    stream = _in_language(track.language, candidates)
    if stream is None:
        return None
    number = _number(stream, candidates)
    return f"{number}={track.language}" if stream.pid is not None else number


def _in_language(language: str, candidates: Sequence[ProbedStream]) -> ProbedStream | None:
    # A track for two languages has both, with a comma between them.
    return next((stream for stream in candidates if language in stream.language.split(",")), None)


def _codec(track: Track, candidates: Sequence[ProbedStream]) -> str:
    if track.place is not None:
        return candidates[track.place - 1].codec if track.place <= len(candidates) else ""
    # Over RTP FFmpeg shows no PIDs: any sound may be meant.
    chosen = [stream for stream in candidates if stream.pid == track.pid]
    codecs = {stream.codec for stream in chosen or candidates}
    return codecs.pop() if len(codecs) == 1 else ""


def _number(stream: ProbedStream, candidates: Sequence[ProbedStream]) -> str:
    return f"{stream.pid:#x}" if stream.pid is not None else f"#{candidates.index(stream) + 1}"


def _of_kind(streams: Sequence[ProbedStream], kind: Kind) -> list[ProbedStream]:
    return [stream for stream in streams if stream.kind == kind]


def _listed(tracks: Iterable[str | None]) -> str | None:
    return ", ".join(track for track in tracks if track is not None) or None
