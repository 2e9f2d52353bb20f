"""What the run directory remembers of a channel, and what comes of it after the database was restored."""

from pathlib import Path

import pytest

from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.job import JobFields, Status, Wanted
from transcoder_tui.store.store import StoredChannel
from transcoder_tui.worker import runfile
from transcoder_tui.worker.rundir import RunDir
from transcoder_tui.worker.runfile import Kept, Reconciled, reconcile


def spec(name: str, **changes: object) -> ChannelSpec:
    return ChannelSpec.model_validate(
        {
            "name": name,
            "sources": [{"url": "srt://10.0.0.1:9000?mode=caller&passphrase=correct-horse"}],
            "renditions": [{"name": "sd", "video": {"size": "640x360", "bitrate": "800k"}, "audio": None}],
            "outputs": [{"url": f"hls://{name.lower()}"}],
        }
        | changes
    )


def stored(channel_id: int, name: str, revision: int = 1, **job: object) -> StoredChannel:
    return StoredChannel(channel_id, revision, spec(name), JobFields.model_validate(job))


def kept(channel: StoredChannel) -> dict[int, Kept]:
    fields = {"id": channel.id, "revision": channel.revision, "spec": channel.spec}
    return {channel.id: Kept(**fields, wanted=channel.job.wanted, generation=channel.job.generation)}


def only(result: Reconciled) -> StoredChannel:
    [channel] = result.channels
    return channel


def messages(result: Reconciled) -> list[str]:
    return [event.message for event in result.events]


def test_a_channel_comes_back_from_its_run_directory_as_it_was(tmp_path: Path) -> None:
    channel = stored(7, "News", 3, wanted="running", generation=5)
    assert runfile.write(RunDir.of(tmp_path, 7), channel)
    assert runfile.read_all(tmp_path) == kept(channel)
    assert runfile.read_all(tmp_path)[7].spec == channel.spec


def test_only_the_worker_can_read_the_file_for_it_holds_passphrases(tmp_path: Path) -> None:
    runfile.write(RunDir.of(tmp_path, 7), stored(7, "News"))
    file = tmp_path / "channels/7/run.json"
    assert "correct-horse" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_later_write_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    directory = RunDir.of(tmp_path, 7)
    runfile.write(directory, stored(7, "News"))
    runfile.write(directory, stored(7, "Sport", 2))
    assert runfile.read_all(tmp_path)[7].spec.name == "Sport"
    assert [file.name for file in directory.path.iterdir()] == ["run.json"]


def test_what_makes_no_sense_is_passed_over(tmp_path: Path) -> None:
    for channel_id in range(1, 6):
        runfile.write(RunDir.of(tmp_path, channel_id), stored(channel_id, f"C{channel_id}"))
    (tmp_path / "channels/1/run.json").write_text("")
    (tmp_path / "channels/2/run.json").write_bytes(b"\x00" * 300)
    (tmp_path / "channels/3/run.json").write_text('{"id": 3, "revision": 1}')
    (tmp_path / "channels/4").rename(tmp_path / "channels/9")
    (tmp_path / "channels/6").mkdir()
    assert set(runfile.read_all(tmp_path)) == {5}
    assert runfile.read_all(tmp_path / "nowhere") == {}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_run_directory_harms_nothing(tmp_path: Path) -> None:
    directory = RunDir.of(tmp_path, 7)
    runfile.write(directory, stored(7, "News"))
    (directory.path / "run.json.new").symlink_to("/dev/full")
    assert not runfile.write(directory, stored(7, "Sport", 2))
    assert runfile.read_all(tmp_path)[7].spec.name == "News"
    assert runfile.write(directory, stored(7, "Sport", 2))
    assert runfile.read_all(tmp_path)[7].spec.name == "Sport"


def test_what_is_the_same_on_both_sides_stays_without_a_word() -> None:
    channel = stored(1, "One", wanted="running", generation=4, status="running", pid=4711)
    assert reconcile([channel], kept(channel), same_boot=True) == Reconciled([channel], [])


def test_a_later_document_and_a_later_order_are_taken_from_the_run_directory() -> None:
    old = stored(1, "One", 1, wanted="running", generation=4, status="retrying", attempt=3, error="no input")
    new = stored(1, "First", 2, wanted="stopped", generation=6)
    result = reconcile([old], kept(new), same_boot=True)
    channel = only(result)
    assert (channel.revision, channel.spec, channel.job.wanted, channel.job.generation) == (2, new.spec, "stopped", 6)
    assert (channel.job.status, channel.job.attempt, channel.job.error) == (Status.RETRYING, 0, "")
    assert messages(result) == ["document of revision 2 and order to be stopped taken from the run directory"]


def test_an_older_file_changes_nothing() -> None:
    channel = stored(1, "One", 3, wanted="running", generation=9)
    old = stored(1, "Old", 2, wanted="stopped", generation=8)
    assert reconcile([channel], kept(old), same_boot=True) == Reconciled([channel], [])


def test_a_channel_that_the_copy_does_not_know_is_created_again_with_its_id() -> None:
    lost = stored(5, "Five", 2, wanted="running", generation=3)
    one = stored(9, "Nine")
    result = reconcile([one], kept(one) | kept(lost), same_boot=True)
    assert [channel.id for channel in result.channels] == [5, 9]
    assert (result.channels[0].spec, result.channels[0].revision) == (lost.spec, 2)
    assert (result.channels[0].job.wanted, result.channels[0].job.generation) == (Wanted.RUNNING, 3)
    assert (result.events[0].channel_id, result.events[0].channel) == (5, "Five")


def test_a_channel_without_a_file_may_have_been_deleted_and_stays_stopped() -> None:
    gone, there = stored(1, "One", wanted="running", generation=4), stored(2, "Two")
    result = reconcile([gone, there], kept(there), same_boot=True)
    assert [channel.id for channel in result.channels] == [1, 2]
    assert (result.channels[0].job.wanted, result.channels[0].job.generation) == (Wanted.STOPPED, 5)
    assert "may have been deleted" in messages(result)[0]


def test_what_is_on_air_is_not_stopped_because_its_file_is_missing() -> None:
    airing, there = stored(1, "One", wanted="stopped", generation=4), stored(2, "Two")
    result = reconcile([airing, there], kept(there), same_boot=True, on_air={1})
    assert result.channels[0].job.wanted == Wanted.RUNNING
    assert "stays so" in messages(result)[0]


@pytest.mark.parametrize("same_boot", [True, False])
def test_where_nothing_is_remembered_the_copy_is_believed(same_boot: bool) -> None:
    channel = stored(1, "One", wanted="running")
    assert reconcile([channel], {}, same_boot=same_boot) == Reconciled([channel], [])


def test_after_a_new_start_of_the_host_a_missing_file_means_nothing() -> None:
    one, two = stored(1, "One", wanted="running"), stored(2, "Two", wanted="running")
    assert reconcile([one, two], kept(two), same_boot=False) == Reconciled([one, two], [])


def test_a_channel_whose_name_another_one_has_by_now_was_deleted() -> None:
    result = reconcile([stored(1, "News", wanted="running")], kept(stored(5, "NEWS")), same_boot=True)
    assert only(result).id == 5
    assert "deleted or renamed" in messages(result)[0]


def test_no_two_channels_end_up_with_the_same_name() -> None:
    one, two = stored(1, "News"), stored(2, "news")
    result = reconcile([one], kept(one) | kept(two), same_boot=True)
    assert [channel.spec.name for channel in result.channels] == ["News (1)", "news"]
    ChannelSpec.model_validate(result.channels[0].spec.document())
