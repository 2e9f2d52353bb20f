"""What differs between two documents, in words, and how the changes of two operators fit together."""

from typing import Any

from rack_fixtures import spec

from transcoder_tui.console.differences import differences, field_words, merged
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.faults import parse

OLD = spec("News", 1)


def changed(**changes: Any) -> dict[str, Any]:
    return parse(ChannelSpec, {**OLD, **changes}).document()


def words(new: dict[str, Any], old: dict[str, Any] = OLD) -> list[str]:
    return [difference.words for difference in differences(old, new)]


def with_video(**changes: Any) -> list[dict[str, Any]]:
    [rung] = OLD["renditions"]
    return [{**rung, "video": {**rung["video"], **changes}}]


def test_each_value_is_told_by_its_label_and_place() -> None:
    output = {**OLD["outputs"][0], "muxrate": "7000k", "ttl": 8}
    new = changed(priority=80, autostart=False, group=None, renditions=with_video(fps=50), outputs=[output])
    assert words(new) == [
        "Channel: Group News → –",  # noqa: RUF001
        "Channel: Priority 50 → 80",
        "Channel: Autostart yes → no",
        "Rendition 1080p: Frame rate 25 fps → 50 fps",
        "Output: TTL – → 8 hops",  # noqa: RUF001
        "Output: Muxrate 6500k → 7000k",
    ]


def test_what_says_nothing_but_the_default_is_no_difference() -> None:
    assert words({**OLD, "sources": [{**OLD["sources"][0], "deinterlace": "auto"}], "overlay": None}) == []


def test_parts_that_come_and_go_are_told_in_a_line() -> None:
    backup = {"url": "srt://198.51.100.20:9000?passphrase=verysecret1", "interface": None}
    new = changed(sources=[*OLD["sources"], backup])
    added = "+ Source 2: srt://198.51.100.20:9000?passphrase=***"
    assert words(new) == [added]
    assert words(OLD, new) == [added.replace("+", "-", 1)]
    assert words(changed(sources=[backup, *OLD["sources"]]), new) == [
        "Sources: Order udp://239.1.1.1:5000, srt://198.51.100.20:9000?passphrase=*** → "
        "srt://198.51.100.20:9000?passphrase=***, udp://239.1.1.1:5000"
    ]


def test_a_secret_that_changed_is_told_and_not_shown() -> None:
    def to(secret: str) -> dict[str, Any]:
        return changed(outputs=[{"url": f"rtmp://live.example.net/app/{secret}"}])

    [told] = differences(to("a-first-secret"), to("a-second-secret"))
    assert told.new.endswith("(another secret)")
    assert "secret" not in told.old


def test_a_part_that_is_switched_off_is_one_difference() -> None:
    [rung] = OLD["renditions"]
    assert words(changed(renditions=[{**rung, "audio": None}])) == ["Rendition 1080p: Audio yes → no"]


def test_a_fault_is_told_by_the_forms_words() -> None:
    assert field_words("outputs[1].muxrate") == "Output 2: Muxrate"
    assert field_words("channels[3].renditions[0].video.size") == "Rendition 1: Size"
    assert field_words("priority") == "Priority"
    assert field_words("outputs") == "Outputs"


class TestMerging:
    def test_changes_of_different_fields_are_both_kept(self) -> None:
        mine = changed(priority=80, renditions=with_video(bitrate="4000k"))
        theirs = changed(group="Sport", renditions=with_video(fps=50))
        found = merged(OLD, mine, theirs)
        assert found.both == []
        assert found.document == changed(priority=80, group="Sport", renditions=with_video(bitrate="4000k", fps=50))

    def test_what_both_changed_stays_as_mine_and_is_named(self) -> None:
        found = merged(OLD, changed(priority=80, group=None), changed(priority=70, autostart=False))
        assert found.both == ["priority"]
        assert found.document == changed(priority=80, group=None, autostart=False)

    def test_parts_that_came_or_changed_places_are_taken_as_a_whole(self) -> None:
        more = [*OLD["outputs"], {"url": "hls://news"}]
        source = {**OLD["sources"][0], "interface": "eth3"}
        found = merged(OLD, changed(sources=[source]), changed(outputs=more))
        assert (found.both, found.document) == ([], changed(sources=[source], outputs=more))
        muxrate = [{**OLD["outputs"][0], "muxrate": "7000k"}]
        assert merged(OLD, changed(outputs=muxrate), changed(outputs=more)).both == ["outputs"]
