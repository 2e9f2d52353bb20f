"""The document of a channel: its identity, its sources, its renditions and its outputs."""

import math
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from transcoder_tui.models.claims import Claims
from transcoder_tui.models.containers import CONTAINERS
from transcoder_tui.models.faults import refuse, refuse_monstrous
from transcoder_tui.models.field import about, written
from transcoder_tui.models.names import check_name, slug
from transcoder_tui.models.output import LADDERS, Output
from transcoder_tui.models.overlay import Overlay
from transcoder_tui.models.rendition import Rendition
from transcoder_tui.models.services import BESIDE, check_services
from transcoder_tui.models.source import DATAGRAMS, Source
from transcoder_tui.models.tracks import Track
from transcoder_tui.models.units import (
    Bytes,
    CpuList,
    Range,
    format_bitrate,
    format_bytes,
    format_seconds,
    no_truth_value,
)

MUX_OVERHEAD = Fraction(108, 100)
"""Transport stream, PES and PSI around the streams, measured: below it FFmpeg reports ``dts < pcr``."""
MUX_MARGIN = 100_000
"""Bits per second beyond :data:`MUX_OVERHEAD` for PSI and PCR at low rates, measured likewise."""
DEFAULT_SEGMENT = 4.0
"""Seconds; the first multiple of the GOP from here on is the segment length where none is given."""
ACCOMPANIED = 400_000
"""Bits per second that copied subtitles, teletext and data PIDs of one program take at most, as a rule: teletext fills
some 300 kb/s (ETSI EN 300 472)."""
OVERLAY = "Overlay"
"""Heading of what is drawn over the picture."""
LIMITS = "Limits"
"""Heading of what a channel's FFmpeg may take of the host."""


class ChannelFields(BaseModel):
    """What a channel is called and when it runs."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, AfterValidator(check_name)] = about(
        "Name of the channel; unique, and the service name in its transport streams.", label="Name", example="News HD"
    )
    group: Annotated[str, AfterValidator(check_name)] | None = about(
        "Group under which operators find it.", label="Group", example="News", default=None
    )
    priority: Annotated[int, BeforeValidator(no_truth_value), Range(0, 100)] = about(
        "Higher priorities start first when many channels start at once.", label="Priority", default=50
    )
    autostart: bool = about(
        "Start it when it is created and after a reboot of the host.", label="Autostart", default=True
    )
    nice: Annotated[int, BeforeValidator(no_truth_value), Range(-20, 19)] | None = about(
        "Scheduling priority of its FFmpeg: 19 yields to everything else, values below 0 need the right to it.",
        label="Nice",
        example="5",
        apart=LIMITS,
        default=None,
    )
    cpus: CpuList | None = about(
        "The CPUs that its FFmpeg may run on; without it, all.",
        label="CPUs",
        example="0-3,8",
        apart=LIMITS,
        default=None,
    )
    memory: Annotated[Bytes, Range(64 << 20, 1 << 44, format_bytes)] | None = about(
        "Most memory that its FFmpeg may take; it is killed and started again when it wants more.",
        label="Memory",
        unit="bytes",
        example="2G",
        apart=LIMITS,
        default=None,
    )

    overlay: Overlay | None = about("What is drawn over the picture.", label="Overlay", apart=OVERLAY, default=None)


class ChannelSpec(ChannelFields):
    """The validated document of a channel with its children.

    The form edits it, the API accepts it, the line-up file holds it, the command builder consumes it.
    """

    sources: Annotated[list[Source], Field(min_length=1)] = about(
        "Inputs: the first is the primary, the others are its backups.", label="Sources"
    )
    renditions: Annotated[list[Rendition], Field(min_length=1)] = about(
        "What it is transcoded to: one is a single profile, several are an ABR ladder.", label="Renditions"
    )
    outputs: Annotated[list[Output], Field(min_length=1)] = about("Where it goes.", label="Outputs")

    @model_validator(mode="before")
    @classmethod
    def _readable(cls, document: object) -> object:
        return refuse_monstrous(document)

    @model_validator(mode="after")
    def _consistent(self) -> "ChannelSpec":
        names = [rendition.name for rendition in self.renditions]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise refuse(f"{name!r} is used twice", "give each rendition its own name", f"renditions[{index}].name")
        self._check_tracks()
        self._check_copied()
        for fault in Claims().add(self.name, self.sources, self.outputs):
            raise refuse(fault.fault, fault.remedy, fault.field)
        received = {source.address.authority for source in self.sources if source.address.scheme in DATAGRAMS}
        for index, output in enumerate(self.outputs):
            where = f"outputs[{index}]"
            if output.address.scheme in DATAGRAMS and output.address.authority in received:
                raise refuse(
                    f"{output.url} is also the source of this channel", "send it to another address", f"{where}.url"
                )
            self._check_rendition(output, where)
            self._check_codecs(output, where)
            self._check_muxrate(output, where)
            self._check_segment(output, where)
            self._check_clock(output, where)
        rungs = [self.carried(output)[0].name for output in self.outputs]
        check_services(self.outputs, rungs, len(self.tracks) + (BESIDE if self.is_accompanied else 0))
        return self

    def _check_rendition(self, output: Output, where: str) -> None:
        names = ", ".join(rendition.name for rendition in self.renditions)
        if output.rendition is None:
            if output.address.scheme not in LADDERS and len(self.renditions) > 1:
                raise refuse("is missing", f"name the rendition that it carries: {names}", f"{where}.rendition")
        elif output.rendition not in [rendition.name for rendition in self.renditions]:
            raise refuse(
                f"{output.rendition!r} is no rendition of this channel", f"choose {names}", f"{where}.rendition"
            )

    def _check_tracks(self) -> None:
        first = self.tracks
        for index, source in enumerate(self.sources[1:], 1):
            if len(source.tracks) != len(first):
                raise refuse(
                    f"gives {len(source.tracks)} sound tracks, source 1 gives {len(first)}",
                    "choose as many tracks on every source, so that outputs stay the same at a hand-over",
                    f"sources[{index}].audio",
                )

    def _check_copied(self) -> None:
        if all(source.address.scheme != "test" for source in self.sources):
            return
        for index, rendition in enumerate(self.renditions):
            for kind, media in (("video", rendition.video), ("audio", rendition.audio)):
                if media is not None and media.is_copy:
                    raise refuse(
                        "a test pattern comes without a codec, so that there is nothing to copy",
                        "choose a codec to encode it with",
                        f"renditions[{index}].{kind}.codec",
                    )

    def _check_codecs(self, output: Output, where: str) -> None:
        container = CONTAINERS[output.container]
        for rendition in self.carried(output):
            audio = rendition.audio
            for kind, codec, carried in (
                ("video", rendition.video.codec, container.video),
                ("audio", audio.codec if audio else "copy", container.audio),
            ):
                if codec != "copy" and codec not in carried:
                    raise refuse(
                        f"{container.words} does not carry {codec}, the {kind} codec of {rendition.name}",
                        f"choose {', '.join(carried)}, or send another rendition there",
                        f"{where}.url",
                    )
            if output.is_transport_stream and rendition.video.rate == "vbr":
                raise refuse(
                    "a transport stream at a constant rate cannot hold a bitrate without ceiling",
                    "choose capped or cbr",
                    f"renditions[{self.renditions.index(rendition)}].video.rate",
                )

    def _check_muxrate(self, output: Output, where: str) -> None:
        if output.muxrate is None:
            return
        least = self.least_muxrate(output)
        if output.muxrate < least:
            raise refuse(
                f"{format_bitrate(output.muxrate)} does not hold video, audio and their overhead",
                f"write at least {format_bitrate(least)}, or lower the rendition's bitrates",
                f"{where}.muxrate",
            )

    def _check_segment(self, output: Output, where: str) -> None:
        if output.address.scheme not in LADDERS:
            return
        carried = [rendition for rendition in self.carried(output) if not rendition.video.is_copy]
        if not carried:
            return
        first = carried[0]
        gop = first.video.gop
        for rendition in carried[1:]:
            if rendition.video.gop_duration != first.video.gop_duration:
                index = self.renditions.index(rendition)
                exact = f"{float(rendition.video.gop_duration):g} s", f"{float(first.video.gop_duration):g} s"
                raise refuse(
                    f"keyframes come every {exact[0]}, those of {first.name} every {exact[1]}",
                    "rungs of one HLS ladder need the same distance, in whole frames, or players cannot switch",
                    f"renditions[{index}].video.gop",
                )
        if output.segment is not None and not _is_multiple(output.segment, gop):
            near = max(1, round(output.segment / gop)) * gop
            raise refuse(
                f"{format_seconds(output.segment)} is no multiple of the GOP of {format_seconds(gop)}",
                f"write {format_seconds(near)}, or change the GOP",
                f"{where}.segment",
            )

    def _check_clock(self, output: Output, where: str) -> None:
        if output.split is not None and self.overlay is not None and self.overlay.clock == "local":
            raise refuse(
                "FFmpeg knows one time of day: files are named in UTC, and the clock in the picture shows local time",
                "write clock: utc, or record in a channel of its own",
                f"{where}.split",
            )

    def carried(self, output: Output) -> list[Rendition]:
        """The renditions that an output carries, in the ladder's order."""
        if output.rendition is None:
            return self.renditions if output.address.scheme in LADDERS else self.renditions[:1]
        return [rendition for rendition in self.renditions if rendition.name == output.rendition]

    def muxrate(self, output: Output) -> int:
        """The constant rate of a transport stream output, in bits per second: as given, else the least that holds."""
        return output.muxrate or self.least_muxrate(output)

    def least_muxrate(self, output: Output) -> int:
        """The least constant rate that holds what an output carries, in bits per second, rounded up to 10 kb/s."""
        streams = self.carried(output)[0].peak(len(self.tracks)) + (ACCOMPANIED if self.is_accompanied else 0)
        return math.ceil((streams * MUX_OVERHEAD + MUX_MARGIN) / 10_000) * 10_000

    @property
    def is_accompanied(self) -> bool:
        """Whether subtitles, teletext or data of a source are handed on."""
        return any(source.subtitles or source.data for source in self.sources)

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The sound tracks that every source gives and every rendition with sound carries."""
        return self.sources[0].tracks

    def segment(self, output: Output) -> float:
        """The segment length of a ladder's output in seconds: as given, else the first multiple of the GOP from 4 s."""
        gop = self.carried(output)[0].video.gop
        return output.segment or math.ceil(round(DEFAULT_SEGMENT / gop, 6)) * gop

    @property
    def slug(self) -> str:
        """The name in a form that is safe in a file name."""
        return slug(self.name)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Passwords, passphrases and stream keys in its addresses, which nobody should read over a shoulder."""
        addresses = [source.address for source in self.sources] + [output.address for output in self.outputs]
        return tuple(secret for address in addresses for secret in address.secrets)

    def document(self) -> dict[str, Any]:
        """The channel as a line-up file and the API write it: in operators' notation, without empty fields."""
        return written(self)

    def on_air_part(self) -> dict[str, Any]:
        """What reaches FFmpeg: a change in it needs a restart, a change elsewhere does not.

        Defaults are left out, so that a version with another field takes a channel for the same as before.
        """
        return self.model_dump(
            exclude={"group", "priority", "autostart", "nice", "cpus", "memory"}, exclude_defaults=True
        )


def _is_multiple(length: float, unit: float) -> bool:
    return abs(length / unit - round(length / unit)) < 1e-6 and round(length / unit) >= 1
