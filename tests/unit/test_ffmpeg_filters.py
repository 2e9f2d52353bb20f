import pytest
from ffmpeg_samples import channel, rung

from transcoder_tui.ffmpeg.encoders import interleave_delta
from transcoder_tui.ffmpeg.filters import build_filters
from transcoder_tui.ffmpeg.inputs import Input
from transcoder_tui.ffmpeg.plan import plan_streams


def graph(*renditions: dict[str, object]) -> list[str]:
    spec = channel({"url": "hls://news"}, renditions=list(renditions))
    return [chain for made in build_filters(plan_streams(spec), Input(())) for chain in made.split(";")]


def test_one_rendition_is_one_chain_for_picture_and_one_for_sound() -> None:
    assert graph(rung("only", "320x180")) == [
        "[0:v:0]yadif=deint=interlaced,fps=25[s0]",
        "[s0]scale=320:180,format=yuv420p,setsar=1[v0]",
        "[0:a:0]aresample=async=1[a0]",
    ]


def test_a_ladder_is_decoded_deinterlaced_and_timed_once() -> None:
    picture, *scaled, sound = graph(rung("hi"), rung("mid", "240x136"), rung("lo", "160x90"))

    assert picture == "[0:v:0]yadif=deint=interlaced,fps=25,split=3[s0][s1][s2]"
    assert [chain.split("scale=")[1].split(",")[0] for chain in scaled] == ["320:180", "240:136", "160:90"]
    assert sound.endswith("[a0]")


def test_rungs_of_different_frame_rates_share_one_deinterlacer() -> None:
    chains = graph(rung("hi", fps=50), rung("mid", fps=25), rung("lo", fps=50))

    assert chains[0] == "[0:v:0]yadif=deint=interlaced,split=2[r0][r1]"
    assert "[r0]fps=50,split=2[s0][s2]" in chains
    assert "[r1]fps=25[s1]" in chains


def test_ntsc_rates_are_exact() -> None:
    assert graph(rung("only", fps=29.97))[0].endswith("fps=30000/1001[s0]")


def test_distinct_sounds_are_split() -> None:
    assert graph(rung("hi", audio="128k"), rung("lo", audio="48k"))[-1] == ("[0:a:0]aresample=async=1,asplit=2[a0][a1]")


def test_a_channel_without_sound_has_no_sound_chain() -> None:
    assert not any("aresample" in chain for chain in graph(rung("only", audio=None)))


@pytest.mark.parametrize(
    ("faster", "slower"), [("ultrafast", "veryfast"), ("veryfast", "medium"), ("medium", "veryslow")]
)
def test_a_muxer_waits_longer_for_a_preset_that_holds_back_more(faster: str, slower: str) -> None:
    def delta(preset: str, fps: float = 25) -> int:
        return interleave_delta(channel(renditions=[rung("only", preset=preset, fps=fps)]).renditions[0].video)

    assert delta(faster) < delta(slower) < 10_000_000
    assert delta(slower, fps=50) < delta(slower)
