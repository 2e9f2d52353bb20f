"""The fixtures of the fault suite, and the table that it prints."""

import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "integration" / "worker"))

from faults_rig import INVARIANTS, Faulty, NotHere, Rig, Row, rig

PROPERTY = "fault"
ALL = "FAULTS"
"""Environment variable; ``all`` runs all of them, as naming them does."""


@pytest.fixture
def write_row(record_property: Callable[[str, object], None]) -> Callable[[Row], None]:
    """Writes a line of the table."""
    return lambda row: record_property(PROPERTY, json.dumps(asdict(row)))


@pytest.fixture
def fault(tmp_path: Path, write_row: Callable[[Row], None]) -> Faulty:
    """Makes a worker with bystanders on air for one fault, and writes a line of the table when it is over.

    Takes the fault's number and name, then ``real`` for the real FFmpeg, ``bystanders``, ``under`` for a command that
    keeper and worker are started with, and settings by their environment variables without the prefix.
    """

    @asynccontextmanager
    async def make(
        number: int,
        name: str,
        *,
        real: bool = False,
        bystanders: int = 2,
        under: tuple[str, ...] = (),
        **settings: str,
    ) -> AsyncIterator[Rig]:
        row = Row(number, name)
        try:
            async with rig(row, tmp_path, real=real, bystanders=bystanders, under=under, settings=settings) as made:
                yield made
        finally:
            write_row(row)

    return make


@pytest.fixture
def not_here(write_row: Callable[[Row], None]) -> NotHere:
    """Skips a fault that cannot be made on this machine, so that the table says so; takes number, name and why."""

    def skip(number: int, name: str, why: str) -> NoReturn:
        write_row(Row(number, name, reason=why))
        pytest.skip(why)

    return skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    named = any("faults" in str(argument) for argument in config.invocation_params.args)
    if named or os.environ.get(ALL) == "all":
        return
    here = Path(__file__).parent
    left = [item for item in items if item.path.is_relative_to(here) and not item.get_closest_marker("quick")]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    lines = []
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            lines += [(outcome, json.loads(text)) for name, text in report.user_properties if name == PROPERTY]
    if not lines:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line(
        f"{'#':>2} {'fault':<52} {'outage':>7} {'pid':<15} {'invariants':<16} reason that was shown"
    )
    for outcome, row in sorted(lines, key=lambda line: (line[1]["number"], line[1]["name"])):
        terminalreporter.write_line(_table_line(outcome, row))


def _table_line(outcome: str, row: dict[str, Any]) -> str:
    broken = row["broken"]
    held = "skipped" if outcome == "skipped" else "FAILED" if outcome == "failed" else f"I1-I{len(INVARIANTS)} hold"
    found = f"not {' '.join(broken)}" if broken else held
    what = f"{row['number']:>2} {row['name'][:52]:<52} {_outage(row):>7} {row['pid']:<15}"
    return f"{what} {found:<16} {row['reason'][:110]}"


def _outage(row: dict[str, Any]) -> str:
    if row["outage_s"] is None:
        return "-"
    if row["outage_s"] == 0.0 and row["pid"] != "kept" and row["finer_than_s"]:
        return f"<{row['finer_than_s']:.1f} s"
    return f"{row['outage_s']:.1f} s"
