"""When a failed channel is tried again."""

import random
from collections.abc import Callable

from transcoder_tui.settings import RetrySettings

Chance = Callable[[], float]
"""Gives numbers in [0, 1)."""


def retry_delay(failures: int, settings: RetrySettings, chance: Chance = random.random) -> float | None:
    """How long to wait after a failure.

    The first attempt follows at once, the next ones after 2, 4, 8, 16 … s up to the longest delay. Each wait is
    shortened by chance to 50-100 %, so that channels that failed together do not come back together.

    Args:
        failures: Consecutive failures so far, the one just seen included.
        settings: Number of attempts and longest delay.
        chance: What the wait is shortened by.

    Returns:
        Seconds, or None where no attempt is left.
    """
    if failures > settings.attempts:
        return None
    if failures <= 1:
        return 0.0
    return _growing(2.0, failures - 2, settings.max_delay_s, chance)


def probe_delay(failures: int, settings: RetrySettings, chance: Chance = random.random) -> float:
    """How long to wait before a live channel that was given up is tried once more: 60, 120, 240, 300 … s.

    Args:
        failures: Consecutive failures so far, more than there are attempts.
        settings: Number of attempts, first and longest interval.
        chance: What the wait is shortened by.
    """
    return _growing(settings.probe_s, failures - settings.attempts - 1, settings.probe_max_s, chance)


def _growing(first: float, doublings: int, longest: float, chance: Chance) -> float:
    # The exponent is bounded, because a channel may fail for years.
    return float(min(longest, first * 2.0 ** min(max(doublings, 0), 30)) * (0.5 + chance() / 2))
