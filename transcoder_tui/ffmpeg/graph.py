"""A filter graph with one source and many ends: what several ends begin with runs once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, takewhile


def shared_graph(source: str, paths: Mapping[str, Sequence[str]], split: str) -> str:
    """The graph that leads from a source to each end.

    Args:
        source: The source, as a graph names it: ``0:v:0``.
        paths: The filters on the way to each end, by its label.
        split: The filter that copies a stream: ``split`` or ``asplit``.
    """
    entries = [(label, tuple(filters)) for label, filters in paths.items()]
    return ";".join(_chains(source, entries, split, count()))


def quoted(text: str) -> str:
    """A value of a filter's option as a graph holds it: FFmpeg reads the graph first, then the filter's options."""
    return re.sub(r"([\\'\[\],;])", r"\\\1", re.sub(r"([\\':])", r"\\\1", text))


def _chains(
    source: str, entries: Sequence[tuple[str, tuple[str, ...]]], split: str, numbers: Iterator[int]
) -> Iterator[str]:
    common = [step for step, *_ in takewhile(_agree, zip(*(filters for _, filters in entries), strict=False))]
    if len(entries) == 1:
        yield f"[{source}]{','.join(common)}[{entries[0][0]}]"
        return
    branches: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for label, filters in entries:
        rest = filters[len(common) :]
        if rest:
            branches.setdefault(rest[0], []).append((label, rest))
    ended = [label for label, filters in entries if len(filters) == len(common)]
    began = [f"s{next(numbers)}" for _ in branches]
    ends = "".join(f"[{label}]" for label in (*ended, *began))
    yield f"[{source}]{','.join([*common, f'{split}={len(ended) + len(began)}'])}{ends}"
    for label, branch in zip(began, branches.values(), strict=True):
        yield from _chains(label, branch, split, numbers)


def _agree(steps: tuple[str, ...]) -> bool:
    return len(set(steps)) == 1
