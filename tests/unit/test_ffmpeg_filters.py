from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ffmpeg_samples import BINARY, HOST, channel, rung

from transcoder_tui.errors import HostFault, InvalidInput
from transcoder_tui.ffmpeg.command import build_command
from transcoder_tui.ffmpeg.drawing import prepare_drawing
from transcoder_tui.ffmpeg.encoders import choose_encoders
from transcoder_tui.ffmpeg.filters import build_filters
from transcoder_tui.ffmpeg.graph import quoted, shared_graph
from transcoder_tui.ffmpeg.inputs import Input
from transcoder_tui.ffmpeg.plan import plan_streams
from transcoder_tui.models.channel import ChannelSpec

DRAWS = replace(BINARY, filters=frozenset({"drawtext"}))
FONTS = replace(HOST, font=Path("/usr/share/fonts/sans.ttf"))


def graphs(spec: ChannelSpec, **options: Any) -> list[list[str]]:
    """The chains of each graph."""
    plan = plan_streams(spec)
    choices = choose_encoders([rendition.video for rendition in plan.renditions], BINARY.encoders, {})
    drawing = prepare_drawing(spec, plan, DRAWS, FONTS)
    return [made.split(";") for made in build_filters(plan, Input(()), choices, drawing=drawing, **options)]


def graph(*renditions: dict[str, Any], overlay: dict[str, Any] | None = None, **options: Any) -> list[str]:
    spec = channel({"url": "hls://news"}, source="udp://239.1.1.1:5000", renditions=list(renditions))
    if overlay is not None:
        spec = ChannelSpec.model_validate({**spec.document(), "overlay": overlay})
    return [chain for made in graphs(spec, **options) for chain in made]


def sounds(*audios: dict[str, Any]) -> str:
    """The graph of the sound."""
    renditions = [{**rung(f"r{number}"), "audio": audio} for number, audio in enumerate(audios)]
    return ";".join(graphs(channel({"url": "hls://news"}, renditions=renditions))[-1])


class TestTheGraph:
    def test_runs_once_what_all_ends_begin_with(self) -> None:
        assert shared_graph("0:v", {"a": ["x", "y", "1"], "b": ["x", "y", "2"]}, "split") == (
            "[0:v]x,y,split=2[s0][s1];[s0]1[a];[s1]2[b]"
        )

    def test_splits_again_where_some_ends_go_on_together(self) -> None:
        assert shared_graph("0:v", {"a": ["x"], "b": ["x", "y", "1"], "c": ["x", "y", "2"]}, "split") == (
            "[0:v]x,split=2[a][s0];[s0]y,split=2[s1][s2];[s1]1[b];[s2]2[c]"
        )

    def test_gives_two_ends_that_are_alike_the_same(self) -> None:
        assert shared_graph("0:a", {"a": ["x"], "b": ["x"]}, "asplit") == "[0:a]x,asplit=2[a][b]"

    def test_quotes_what_would_end_a_value(self) -> None:
        assert quoted("a:b,c") == r"a\\:b\,c"
        assert quoted("it's") == r"it\\\'s"


class TestPictures:
    def test_one_rendition_is_one_chain(self) -> None:
        assert graph(rung("only", "320x180", fit="stretch", audio=None)) == [
            "[0:v:0]yadif=deint=interlaced,fps=25,scale=320:180,format=yuv420p,setsar=1[v0]"
        ]

    def test_a_ladder_is_decoded_deinterlaced_and_timed_once(self) -> None:
        picture, *scaled, sound = graph(rung("hi"), rung("mid", "240x136"), rung("lo", "160x90"))

        assert picture == "[0:v:0]yadif=deint=interlaced,fps=25,split=3[s0][s1][s2]"
        assert [chain.split("pad=")[1].split(":(")[0] for chain in scaled] == ["320:180", "240:136", "160:90"]
        assert sound.endswith("[a0]")

    def test_rungs_of_one_size_are_scaled_once(self) -> None:
        assert ";".join(graph(rung("hi", codec="hevc"), rung("lo"))).count("scale=") == 1

    def test_rungs_of_different_frame_rates_share_one_deinterlacer(self) -> None:
        chains = graph(rung("hi", fps=50), rung("mid", fps=25), rung("lo", "160x90", fps=50))

        assert chains[0] == "[0:v:0]yadif=deint=interlaced,split=2[s0][s1]"
        assert "[s0]fps=50,split=2[s2][s3]" in chains
        assert sum("fps=25" in chain for chain in chains) == 1

    def test_ntsc_rates_are_exact(self) -> None:
        assert "fps=30000/1001," in graph(rung("only", fps=29.97))[0]

    @pytest.mark.parametrize(
        ("deinterlace", "begins"),
        [("on", "yadif=deint=all,fps"), ("bob", "yadif=mode=send_field:deint=all,fps"), ("off", "fps")],
    )
    def test_deinterlacing_follows_the_source(self, deinterlace: str, begins: str) -> None:
        assert graph(rung("only"), deinterlace=deinterlace)[0].startswith(f"[0:v:0]{begins}=25,")

    def test_a_picture_of_the_source_size_keeps_the_shape_of_its_pixels(self) -> None:
        chain = graph({"name": "only", "video": {"bitrate": "1M"}})[0]

        assert "scale" not in chain
        assert "setsar" not in chain

    def test_ten_bits_are_kept(self) -> None:
        assert "format=yuv420p10le" in graph(rung("only", codec="hevc", bit_depth=10))[0]

    def test_what_is_copied_is_not_decoded(self) -> None:
        copied = {"name": "c", "video": {"codec": "copy", "bitrate": "1M"}, "audio": {"codec": "copy"}}

        assert graph(copied) == []
        assert "[v0]" not in ";".join(graph(copied, rung("lo")))


class TestPixelsThatAreNotSquare:
    @pytest.mark.parametrize(
        ("size", "aspect", "shape"),
        [
            ("720x576", "16:9", "64/45"),
            ("720x576", "4:3", "16/15"),
            ("720x480", "16:9", "32/27"),
            ("704x576", "16:9", "16/11"),
        ],
    )
    def test_have_the_shape_of_the_standard(self, size: str, aspect: str, shape: str) -> None:
        """ITU-R BT.601 has one sampling for both aspects of a screen."""
        (chain,) = graph(rung("only", size, aspect=aspect, audio=None))

        assert chain.endswith(f",setsar={shape}:max=65535[v0]")

    def test_get_what_is_drawn_while_they_are_square(self) -> None:
        made = ";".join(
            graph(rung("hd", "1024x576"), rung("sd", "720x576", aspect="16:9"), overlay={"logo": "file://l.png"})
        )

        assert made.count("movie=") == 1
        assert "scale=720:576,setsar=64/45:max=65535" in made


class TestSounds:
    def test_distinct_sounds_are_split(self) -> None:
        assert sounds({"bitrate": "128k"}, {"bitrate": "48k"}) == "[0:a:0]aresample=async=1,asplit=2[a0][a1]"

    def test_a_channel_without_sound_has_no_sound_chain(self) -> None:
        assert not any("aresample" in chain for chain in graph(rung("only", audio=None)))

    def test_loudness_is_measured_once_for_codecs_that_share_it(self) -> None:
        made = sounds({"loudness": -23}, {"loudness": -23, "codec": "ac3", "bitrate": "192k"}, {"gain": 6})

        assert made.count("loudnorm=I=-23:TP=-1.5:LRA=11") == 1
        assert made.count("aresample=async=1") == 1
        assert "volume=6dB[a2]" in made

    def test_a_delay_is_a_shift_before_gaps_are_filled(self) -> None:
        assert sounds({"delay": "80ms"}) == "[0:a:0]asetpts=PTS+0.08/TB,aresample=async=1[a0]"
        assert sounds({"delay": "-80ms"}) == "[0:a:0]asetpts=PTS-0.08/TB,atrim=start=0,aresample=async=1[a0]"


class TestDrawing:
    def test_a_ladder_of_one_shape_is_drawn_on_once(self) -> None:
        made = ";".join(graph(rung("hi", "640x360"), rung("lo"), overlay={"logo": "file://l.png", "text": "X"}))

        assert made.count("movie=") == made.count("drawtext=") == 1
        assert "scale=-2:36" in made
        assert "scale=320:180" in made

    def test_rungs_of_another_shape_are_drawn_on_by_themselves(self) -> None:
        made = graph(rung("wide"), rung("old", "240x180"), overlay={"logo": "file://l.png"})
        labels = [chain.rpartition("[")[2] for chain in made if "movie=" in chain]

        assert len(labels) == len(set(labels)) == 2

    def test_text_expands_nothing_and_the_clock_is_apart(self) -> None:
        made = ";".join(graph(rung("only"), overlay={"text": "%{pts}", "clock": "utc"}))

        assert "expansion=none:text=%{pts}:" in made
        assert r"expansion=normal:text=%{gmtime\\:%T} UTC:" in made

    @pytest.mark.parametrize(
        ("overlay", "binary", "host", "field"),
        [
            ({"text": "X"}, BINARY, FONTS, "overlay.text"),
            ({"clock": "utc"}, DRAWS, HOST, "overlay.clock"),
            ({"logo": "file://../l.png"}, DRAWS, FONTS, "overlay.logo"),
        ],
    )
    def test_is_refused_where_this_host_cannot(self, overlay: Any, binary: Any, host: Any, field: str) -> None:
        document = {**channel().document(), "overlay": overlay}
        with pytest.raises((HostFault, InvalidInput, ValueError)) as refused:
            build_command(ChannelSpec.model_validate(document), binary, host)

        assert field.rpartition(".")[2] in str(getattr(refused.value, "faults", refused.value))

    def test_a_logo_needs_a_size(self) -> None:
        with pytest.raises(InvalidInput) as refused:
            graph({"name": "only", "video": {"bitrate": "1M"}}, overlay={"logo": "file://l.png"})

        assert refused.value.faults[0].field == "renditions[0].video.size"
