import pytest

from transcoder_tui.ffmpeg.progress import Progress, ProgressParser

BLOCK = b"""frame=221
fps=24.12
stream_0_0_q=-1.0
bitrate= 390.1kbits/s
total_size=431648
out_time_us=8840000
out_time_ms=8840000
out_time=00:00:08.840000
dup_frames=2
drop_frames=1
speed=0.965x
progress=continue
"""
PARSED = Progress(frame=221, out_time_us=8840000, total_size=431648, drop_frames=1, dup_frames=2, ended=False)


def test_a_block_is_read() -> None:
    assert ProgressParser().feed(BLOCK) == [PARSED]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_blocks_are_read_from_pieces_of_any_size(size: int) -> None:
    parser, data, found = ProgressParser(), BLOCK * 3, []

    for start in range(0, len(data), size):
        found += parser.feed(data[start : start + size])

    assert found == [PARSED] * 3


def test_a_block_counts_only_once_its_last_line_is_complete() -> None:
    parser = ProgressParser()

    assert parser.feed(BLOCK[:-1]) == []
    assert parser.feed(b"\n") == [PARSED]


def test_the_last_block_says_that_it_is_the_last() -> None:
    assert ProgressParser().feed(BLOCK.replace(b"continue", b"end"))[0].ended


def test_what_ffmpeg_does_not_know_is_none() -> None:
    (block,) = ProgressParser().feed(b"bitrate=N/A\ntotal_size=N/A\nout_time_us=N/A\nprogress=continue\n")

    assert block == Progress(None, None, None, None, None, ended=False)


def test_nothing_is_carried_over_into_the_next_block() -> None:
    assert ProgressParser().feed(BLOCK + b"progress=continue\n")[1].frame is None


def test_media_time_may_be_negative() -> None:
    assert ProgressParser().feed(b"out_time_us=-40000\nprogress=continue\n")[0].out_time_us == -40000


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0" * 4096 + b"\n",
        b"what is this\n",
        b"\xff\xfe=\x80\n",
        b"=\n",
        b"\n\n",
        b"frame=many\n",
        b"x" * 100_000 + b"\n",
    ],
)
def test_garbage_before_a_block_does_not_harm_it(garbage: bytes) -> None:
    assert ProgressParser().feed(garbage + BLOCK) == [PARSED]


def test_nuls_of_a_truncated_file_are_skipped_within_the_line() -> None:
    assert ProgressParser().feed(b"\0" * 100 + BLOCK) == [PARSED]


def test_an_endless_line_is_dropped_without_being_kept() -> None:
    parser = ProgressParser()

    for _ in range(1000):
        assert parser.feed(b"x" * 1000) == []

    assert len(parser._rest) <= 2048
    assert parser.feed(b"\n" + BLOCK) == [PARSED]


def test_endless_fields_are_dropped_without_being_kept() -> None:
    parser = ProgressParser()

    parser.feed(b"".join(b"key%d=1\n" % number for number in range(10_000)))

    assert len(parser._fields) <= 1024


@pytest.mark.parametrize(
    "block",
    [
        BLOCK,
        BLOCK.replace(b"total_size=", b"total_size=N/A #"),
        b"frame=  25\nfps=25.0\nout_time_us=1000000\ndup_frames=0\ndrop_frames=3\nprogress=end\n",
        b"frame=25\nout_time_us=N/A\nprogress=continue\n",
        b"frame=25\nprogress=end\n\n",
        b"frame=25\nout_time_us=5\nprogress=continue\nprogress=continue\n",
    ],
)
def test_a_block_read_whole_means_the_same_as_one_read_byte_by_byte(block: bytes) -> None:
    slow = ProgressParser()

    assert ProgressParser().feed(block) == [found for byte in block for found in slow.feed(bytes([byte]))]
