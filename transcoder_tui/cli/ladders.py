"""``ladders``: what a line-up can write under ``ladder``."""

from transcoder_tui.cli.exit_codes import ExitCode
from transcoder_tui.cli.output import Cell, Column, say, say_table, write_json
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.ladder import Ladder
from transcoder_tui.models.rendition import Rendition
from transcoder_tui.models.units import format_bitrate, format_fps


async def list_ladders(client: WorkerClient, name: str | None, *, as_json: bool) -> ExitCode:
    """Prints the ladders, or the rungs of one.

    Raises:
        InvalidInput: Where there is none of that name.
    """
    found = await client.ladders()
    if name is not None:
        chosen = [ladder for ladder in found if ladder.name == name]
        if not chosen:
            there = ", ".join(ladder.name for ladder in found)
            raise InvalidInput(f"there is no ladder {name!r}", f"choose one of {there}", "NAME")
        found = chosen
    if as_json:
        write_json([ladder.model_dump(mode="json") for ladder in found])
    elif name is not None:
        _say_rungs(found[0])
    else:
        rows = [[Cell(ladder.name), Cell(str(len(ladder.renditions))), Cell(ladder.help)] for ladder in found]
        say_table((Column("NAME"), Column("RUNGS", right=True), Column("FOR")), rows)
    return ExitCode.OK


def _say_rungs(ladder: Ladder) -> None:
    say(ladder.help)
    say(f"Figures: {ladder.figures or 'own'}")
    columns = (
        Column("NAME"), Column("VIDEO"), Column("SIZE"), Column("FPS", right=True), Column("BITRATE", right=True),
        Column("PRESET"), Column("AUDIO"), Column("BITRATE", right=True),
    )  # fmt: skip
    say_table(columns, [_row(rendition) for rendition in ladder.renditions])


def _row(rendition: Rendition) -> list[Cell]:
    video, audio = rendition.video, rendition.audio
    return [
        Cell(rendition.name),
        Cell(video.codec),
        Cell(video.size or "as the source"),
        Cell(format_fps(video.fps)),
        Cell(format_bitrate(video.bitrate)),
        Cell(video.preset),
        Cell(audio.codec if audio else "-"),
        Cell(format_bitrate(audio.bitrate) if audio else "-"),
    ]
