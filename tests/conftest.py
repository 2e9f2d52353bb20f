"""What every test may use."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

import pytest

Value = TypeVar("Value")


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
