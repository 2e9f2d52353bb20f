"""The FFmpeg command of a channel: a pure function from its document and this machine's facts."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.drawing import prepare_drawing
from transcoder_tui.ffmpeg.encoders import Choice, Encoding, choose_encoders, interleave_delta
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.filters import FILTER_THREADS, build_filters
from transcoder_tui.ffmpeg.hardware import device_arguments
from transcoder_tui.ffmpeg.inputs import Input, build_input
from transcoder_tui.ffmpeg.masking import mask
from transcoder_tui.ffmpeg.outputs import destinations, needs_global_header, output_arguments
from transcoder_tui.ffmpeg.plan import Plan, plan_streams
from transcoder_tui.ffmpeg.texts import DECODED, Text, mapped_texts
from transcoder_tui.ffmpeg.transport import picture_pids, service_metadata
from transcoder_tui.models.address import Address
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.tracks import ALL, Track, tracks_of

__all__ = ["Command", "HostFacts", "build_command", "mask"]

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "AV_LOG_FORCE_NOCOLOR": "1"}
"""All that FFmpeg inherits. The caller's variables stay outside: ``FFREPORT`` alone could write a file anywhere."""

UNTAGGED = ("-tag:v", "0", "-tag:a", "0")
"""Of an input that is copied: a transport stream's tags mean nothing to other containers, and tee hands them on."""


@dataclass(frozen=True)
class Command:
    """What is run."""

    argv: tuple[str, ...]
    """The program's path, then its arguments."""
    env: Mapping[str, str]
    """Its whole environment."""
    secrets: tuple[str, ...]
    """Stream keys, passphrases and passwords in the arguments."""

    def masked(self) -> tuple[str, ...]:
        """The arguments as they may be shown."""
        return tuple(mask(argument, self.secrets) for argument in self.argv)

    def shell(self) -> str:
        """The command as a line for a shell, secrets masked."""
        return shlex.join(self.masked())


def build_command(
    spec: ChannelSpec,
    binary: Binary,
    host: HostFacts,
    source: int = 0,
    codecs: Sequence[str] = (),
    texts: Sequence[Text] = (),
) -> Command:
    """What FFmpeg is told for a channel.

    Standard input is to be ``/dev/null``. There is no ``-nostdin``: FFmpeg 7.0 ignores SIGTERM with it.

    Args:
        spec: The channel.
        binary: The FFmpeg that will run it.
        host: This machine.
        source: Index of the source to read.
        codecs: The codecs of its sounds in the order of the channel's tracks, as far as they are known.
        texts: Its subtitles that are text; where there are any, those that are copied have numbers.

    Raises:
        HostFault: Where this machine or its FFmpeg lacks something; names the field.
        InvalidInput: Where a file lies outside the media roots; names the field.
    """
    plan = plan_streams(spec)
    chosen = spec.sources[source]
    texts = mapped_texts(spec, texts)
    read = replace(build_input(chosen, host, f"sources[{source}]"), texts=tuple(text.stream for text in texts))
    written = destinations(spec, plan, host, codecs, texts, len(tracks_of(chosen.subtitles or ALL)))
    if not any("d" in destination.streams for destination in written):
        read = replace(read, copied=())
    arguments = [
        *("-hide_banner", "-nostats", "-loglevel", "+level+info", "-y"),
        *("-progress", f"pipe:{host.progress_fd}", "-stats_period", "1"),
        *FILTER_THREADS,
        *(UNTAGGED if _copies(plan) else ()),
        *(DECODED if any(text.is_teletext for text in texts) else ()),
        *read.args,
        *encoding_arguments(spec, plan, read, binary, host, needs_global_header(written), chosen.deinterlace),
        *service_metadata(spec),
        *output_arguments(written, _interleave_delta(plan, binary, host), picture_pids(spec, plan)),
    ]
    return Command(
        argv=(str(binary.path), *arguments),
        env={**ENVIRONMENT, **binary.environment, **({"TZ": "UTC"} if _names_by_time(spec) else {})},
        secrets=secrets_of([chosen.address, *(output.address for output in spec.outputs)]),
    )


def encoding_arguments(
    spec: ChannelSpec,
    plan: Plan,
    read: Input,
    binary: Binary,
    host: HostFacts,
    global_header: bool,
    deinterlace: str = "auto",
) -> list[str]:
    """What is made of an input: filter graphs, streams and their encoders, whatever becomes of them afterwards.

    Args:
        spec: The channel.
        plan: The streams to make of it.
        read: The input.
        binary: The FFmpeg that will run it.
        host: This machine.
        global_header: Whether parameter sets go into the container's header instead of the stream.
        deinterlace: How the source is deinterlaced.

    Raises:
        HostFault: Where this machine or its FFmpeg lacks something; names the field.
        InvalidInput: Where the logo lies outside the media roots; names the field.
    """
    choices = chosen_encoders(plan, binary, host)
    graphs = build_filters(plan, read, choices, deinterlace, prepare_drawing(spec, plan, binary, host))
    return [
        *next((device_arguments(one.encoder, one.device) for one in choices if one and one.encoder.upload), ()),
        *(part for graph in graphs for part in ("-filter_complex", graph)),
        *(part for stream in _streams(plan, read) for part in ("-map", stream)),
        *_languages(plan, spec.tracks),
        *(("-c:s", "copy", "-c:d", "copy") if read.copied else ()),
        *(part for number in range(len(read.texts)) for part in (f"-c:s:{number}", "webvtt")),
        *_encoders(spec, plan, choices, Encoding(binary.encoders, global_header)),
    ]


def chosen_encoders(plan: Plan, binary: Binary, host: HostFacts) -> list[Choice | None]:
    """What encodes each picture of a plan; None for one that is copied."""
    return choose_encoders([rendition.video for rendition in plan.renditions], binary.encoders, host.tested)


def _interleave_delta(plan: Plan, binary: Binary, host: HostFacts) -> int:
    choices = chosen_encoders(plan, binary, host)
    pictures = [
        (rendition.video, choice.encoder if choice else None)
        for rendition, choice in zip(plan.renditions, choices, strict=True)
    ]
    return interleave_delta(pictures, [sound.audio for sound in plan.sounds])


def _names_by_time(spec: ChannelSpec) -> bool:
    """Whether files are named by the time of day, of which FFmpeg knows the local one only."""
    return any(output.split is not None for output in spec.outputs)


def _copies(plan: Plan) -> bool:
    pictures = any(rendition.video.is_copy for rendition in plan.renditions)
    return pictures or any(sound.audio.is_copy for sound in plan.sounds)


def _streams(plan: Plan, read: Input) -> list[str]:
    """Where each stream of the plan comes from: an end of the filter graph, or the source itself where it is copied."""
    return [
        *(
            read.video if rendition.video.is_copy else f"[v{number}]"
            for number, rendition in enumerate(plan.renditions)
        ),
        *(
            read.audios[sound.track] if sound.audio.is_copy else f"[a{number}]"
            for number, sound in enumerate(plan.sounds)
        ),
        *read.texts,
        *read.copied,
    ]


def _languages(plan: Plan, tracks: Sequence[Track]) -> list[str]:
    """What receivers are told of the sounds; what is not told here, FFmpeg takes from sounds that are copied."""
    return [
        part
        for number, sound in enumerate(plan.sounds)
        if (language := tracks[sound.track].language)
        for part in (f"-metadata:s:a:{number}", f"language={language}")
    ]


def _encoders(spec: ChannelSpec, plan: Plan, choices: Sequence[Choice | None], encoding: Encoding) -> list[str]:
    arguments: list[str] = []
    for number, (rendition, choice) in enumerate(zip(plan.renditions, choices, strict=True)):
        where = f"renditions[{spec.renditions.index(rendition)}].video"
        arguments += encoding.video(number, rendition.video, where, choice)
    for number, sound in enumerate(plan.sounds):
        first = next(index for index, rendition in enumerate(spec.renditions) if rendition.audio == sound.audio)
        arguments += encoding.audio(number, sound.audio, f"renditions[{first}].audio")
    return arguments


def secrets_of(addresses: Iterable[Address]) -> tuple[str, ...]:
    """Stream keys, passphrases and passwords in addresses, the longest first: a short one may be part of a long one."""
    found = {secret for address in addresses for secret in address.secrets}
    return tuple(sorted(found, key=lambda secret: (-len(secret), secret)))
