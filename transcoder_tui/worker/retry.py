"""When a failed channel is tried again."""

import random
from collections.abc import Callable

from transcoder_tui.settings import RetrySettings


def retry_delay(failures: int, settings: RetrySettings, chance: Callable[[], float] = random.random) -> float | None:
    """How long to wait after a failure.

    The first attempt follows at once, the next ones after 2, 4, 8, 16 … s up to the longest delay. Each wait is
    shortened by chance to 50-100 %, so that channels that failed together do not come back together.

    Args:
        failures: Consecutive failures so far, the one just seen included.
        settings: Number of attempts and longest delay.
        chance: Gives numbers in [0, 1).

    Returns:
        Seconds, or None where no attempt is left.
    """
    if failures > settings.attempts:
        return None
    if failures <= 1:
        return 0.0
    return float(min(settings.max_delay_s, 2.0 ** (failures - 1)) * (0.5 + chance() / 2))
