"""A real keeper over a worker that is a shell script."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from keeper_rig import KEEPER, Start


@pytest.fixture
def start_keeper(tmp_path: Path) -> Iterator[Start]:
    """Starts keepers; ``starts`` in the run directory gets a line with its pid from each worker.

    Another Python may run it, or another program that becomes the keeper.
    """
    keepers: list[subprocess.Popen[bytes]] = []

    def start(
        script: str, *, python: str = sys.executable, module: str = "", **environment: str
    ) -> "subprocess.Popen[bytes]":
        body = f"cd {tmp_path}; echo $$ >>starts; {script}"
        argv = [python, module] if module else [python, "-c", KEEPER, "/bin/sh", "-c", body]
        given = {**os.environ, "TRANSCODER_RUN_DIR": str(tmp_path), **environment}
        with (tmp_path / "said").open("ab") as said:
            keepers.append(subprocess.Popen(argv, cwd="/", env=given, stderr=said))
        return keepers[-1]

    yield start
    for keeper in keepers:
        keeper.terminate()
        keeper.wait(20)
