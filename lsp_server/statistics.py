"""What the server counts about itself. Kept in memory, shown by `codet5p/status`, sent nowhere."""

import math
from collections import Counter, deque
from collections.abc import Sequence

__all__ = ["Statistics", "percentile"]

_MAX_LATENCIES = 1000


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least `share` (0 to 1) of all values do not exceed, or None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


class Statistics:
    """Counters and recent latencies of one server."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._latencies_ms: deque[float] = deque(maxlen=_MAX_LATENCIES)

    def count(self, event: str) -> None:
        """Count one more `event`, such as `shown` or `accepted`."""
        self.counts[event] += 1

    def record_latency(self, seconds: float) -> None:
        """Remember how long a completion took from request to answer."""
        self._latencies_ms.append(1000 * seconds)

    def latency_ms(self) -> dict[str, float | None]:
        """Return median and 95th percentile of the last thousand completions, in ms; None before the first."""
        latencies = tuple(self._latencies_ms)
        return {
            name: None if (value := percentile(latencies, share)) is None else round(value, 1)
            for name, share in (("p50", 0.5), ("p95", 0.95))
        }
