"""What every test may use."""

import gc
import os
import sys
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

import pytest

Value = TypeVar("Value")
LONG = "LONG"
"""Environment variable: ``all`` runs the tests that are marked as long, too."""

# Some machines ask Python to keep no bytecode; here, where programs are started by the hundred, each of them would
# spend a quarter of its start on compiling itself anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the long ones out unless they are asked for."""
    if os.environ.get(LONG) == "all":
        return
    long = {item for item in items if item.get_closest_marker("long")}
    config.hook.pytest_deselected(items=list(long))
    items[:] = [item for item in items if item not in long]


def pytest_collection_finish() -> None:
    """Lets nobody look for garbage among all that was imported by now: that takes a fifth of a console's time."""
    gc.collect()
    gc.freeze()


class Eventually(Protocol):
    """Waits until something holds."""

    def __call__(self, check: Callable[[], Value], timeout_s: float = 30.0) -> Value: ...


@pytest.fixture
def eventually() -> Eventually:
    """Calls a check until it gives something true, which is then the result; fails after a generous time."""

    def wait(check: Callable[[], Value], timeout_s: float = 30.0) -> Value:
        deadline = time.monotonic() + timeout_s
        while not (value := check()):
            if time.monotonic() > deadline:
                pytest.fail(f"did not come true within {timeout_s:g} s; last: {value!r}")
            time.sleep(0.02)
        return value

    return wait
