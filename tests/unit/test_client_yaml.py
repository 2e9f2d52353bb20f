import pytest

from transcoder_tui.client.yaml_text import MAX_BYTES, read_yaml, write_yaml
from transcoder_tui.errors import InvalidInput


def refused(data: bytes) -> str:
    """What a file is refused with."""
    with pytest.raises(InvalidInput) as caught:
        read_yaml(data, "rack.yaml")
    (fault,) = caught.value.faults
    assert fault.field == "rack.yaml"
    assert fault.remedy
    return fault.fault


def test_a_repeated_key_is_refused_with_both_places() -> None:
    assert refused(b"version: 1\nchannels:\n  - name: a\n    priority: 1\n    name: b\n").startswith(
        "line 5, column 5: 'name' is given again; line 3 has it already"
    )


def test_a_key_that_is_repeated_on_one_line_is_refused() -> None:
    assert refused(b"{a: 1, a: 2}").startswith("line 1, column 8: 'a' is given again")


def test_merged_keys_may_be_overridden() -> None:
    document = read_yaml(b"base: &b {codec: h264, gop: 2s}\nuse: {<<: *b, gop: 1s}\n", "rack.yaml")

    assert document["use"] == {"codec": "h264", "gop": "1s"}


@pytest.mark.parametrize("opening", ["[", "- ", "{a: "])
def test_deep_nesting_is_refused_and_does_not_crash_the_process(opening: str) -> None:
    assert "levels of nesting" in refused(opening.encode() * 200_000)


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    assert "aliases stand for too much" in refused("\n".join(lines).encode())


def test_a_chain_of_aliases_that_nests_too_deep_is_refused() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3000))]

    assert "aliases stand for too much" in refused("\n".join(lines).encode())


def test_a_document_that_holds_itself_is_refused() -> None:
    assert "refers to what it stands in" in refused(b"a: &a [*a]")


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "is empty"),
        (b"# nothing\n", "is empty"),
        (b"a: 1\nb: \xff\xfe", "line 2: invalid leading UTF-8 octet"),
        (b"a: 1\n\nb: \x1b[31m", "line 3: control characters are not allowed"),
        (b"a: !!python/object/apply:os.system [id]", "could not determine a constructor"),
        (b"a: 1\n---\nb: 2", "expected a single document"),
        (b"a: 2024-13-45", "is not YAML"),
        (b"? [a]\n: b", "found unhashable key"),
        (b"a:\n\t- b", "line 2, column 1"),
        (b"#" * (MAX_BYTES + 1), "is larger than 10 MB"),
    ],
)
def test_what_is_no_plain_yaml_document_is_refused(data: bytes, fault: str) -> None:
    assert fault in refused(data)


def test_a_file_from_windows_is_read() -> None:
    assert read_yaml("version: 1\r\nname: ü\r\n".encode("utf-16"), "rack.yaml") == {"version": 1, "name": "ü"}


def test_texts_that_yaml_could_take_for_something_else_survive() -> None:
    names = ["yes", "null", "1:30", "2024-01-01", "0x1F", "- a", "# b", "a: b", "{x}", "*x", "é🛰", "'q'", "5000k"]
    channels = [{"name": name, "renditions": [], "outputs": [{"url": name}]} for name in names]
    document = {"version": 1, "channels": channels}

    assert read_yaml(write_yaml(document).encode(), "rack.yaml") == document


def test_a_shared_part_is_written_out_and_long_lines_are_not_folded() -> None:
    output = {"url": "rtmp://203.0.113.5/live/" + "k" * 300}
    text = write_yaml({"version": 1, "channels": [{"renditions": [], "outputs": [output, output]}]})

    assert "&" not in text
    assert text.count("k" * 300) == 2
