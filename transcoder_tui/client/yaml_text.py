"""Line-up files as text: YAML read with suspicion and written to be read. Pure functions.

PyYAML by itself is not enough for files that people write: it lets a repeated key silently win, its C parser crashes
the process on deep nesting (seen with 200,000 brackets), and a few aliases of aliases can stand for gigabytes.
"""

from typing import Any

import yaml

from transcoder_tui.errors import InvalidInput

MAX_BYTES = 10_000_000
"""Largest file that is read; 500 channels with ladders take about 1 MB."""
MAX_DEPTH = 40
"""Deepest nesting that is read; a line-up needs seven levels."""
MAX_NODES = 2_000_000
"""Most values that a file may stand for when its aliases are written out; a file without any cannot reach it."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where PyYAML was built with it: ten times as fast."""


def read_yaml(data: bytes, name: str) -> Any:
    """The document in a YAML file.

    Args:
        data: The file's content.
        name: What to call the file in an error.

    Raises:
        InvalidInput: Where it is too large, is not YAML, repeats a key or refers to itself; with line and column.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"is larger than {MAX_BYTES // 1_000_000} MB", "split it, and apply the parts", name)
    try:
        _check_depth(data)
        loader = _Loader(data)
        try:
            root = loader.get_single_node()
            if root is None:
                raise InvalidInput("is empty", "begin it with 'version: 1' and 'channels:'", name)
            _check_tree(root)
            return loader.construct_document(root)
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        line = data[: error.position].count(b"\n") + 1
        raise InvalidInput(f"line {line}: {error.reason}", "save it as UTF-8 text", name) from None
    except yaml.MarkedYAMLError as error:
        raise InvalidInput(*_words(error), name) from None
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidInput(f"is not YAML: {error}", "correct it", name) from None


def write_yaml(document: dict[str, Any]) -> str:
    """A line-up's document as a file, in the layout of the manual: pictures, sounds and outputs on a line each."""
    laid_out = document | {"channels": [_laid_out(channel) for channel in document["channels"]]}
    return yaml.dump(laid_out, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"))


class _Line(dict[str, Any]):
    """A section that is written on one line."""


class _Dumper(yaml.SafeDumper):
    """Writes :class:`_Line` in flow style, and indents the entries of a list below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_line(dumper: yaml.SafeDumper, line: _Line) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", line, flow_style=True)


_Dumper.add_representer(_Line, _represent_line)


def _laid_out(channel: dict[str, Any]) -> dict[str, Any]:
    renditions = [
        {name: _Line(part) if isinstance(part, dict) else part for name, part in rendition.items()}
        for rendition in channel["renditions"]
    ]
    return channel | {"renditions": renditions, "outputs": [_Line(output) for output in channel["outputs"]]}


def _check_depth(data: bytes) -> None:
    """Refuses deep nesting before the composer, which is recursive, gets to see it."""
    depth = 0
    for event in yaml.parse(data, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _error(f"more than {MAX_DEPTH} levels of nesting", event.start_mark)


def _check_tree(root: yaml.Node) -> None:
    """Refuses repeated keys, and aliases that stand for too much."""
    measured: dict[int, tuple[int, int] | None] = {}

    def measure(node: yaml.Node) -> tuple[int, int]:
        """How many values and how many levels a node stands for."""
        known = measured.get(id(node), ())
        if known is None:
            raise _error("an alias refers to what it stands in", node.start_mark)
        if known:
            return known
        measured[id(node)] = None
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
            children = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        sizes = [measure(child) for child in children]
        count = 1 + sum(size[0] for size in sizes)
        depth = 1 + max((size[1] for size in sizes), default=0)
        if count > MAX_NODES or depth > MAX_DEPTH + 1:
            raise _error("aliases stand for too much", node.start_mark)
        measured[id(node)] = count, depth
        return count, depth

    measure(root)


def _check_keys(node: yaml.MappingNode) -> None:
    lines: dict[tuple[str, str], int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        first = lines.get((key.tag, key.value))
        if first is not None:
            raise _error(f"{key.value!r} is given again; line {first} has it already", key.start_mark)
        lines[key.tag, key.value] = key.start_mark.line + 1


def _error(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _words(error: yaml.MarkedYAMLError) -> tuple[str, str]:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    context = f" ({error.context})" if error.context else ""
    return f"{where}{error.problem}{context}", "correct the YAML there; mind indentation, colons and brackets"
