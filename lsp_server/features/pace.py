"""How long to wait for the next key before the model is asked: as long as this person takes for one.

Asking at every key keeps a slow computer busy with suggestions that nobody sees; waiting too long misses the pause. The
figures behind the rule are in `docs/experiments.md`.
"""

import statistics
from collections import deque

__all__ = ["TypingPace", "pause_to_wait"]

_LONGEST_INTERVAL_SECONDS = 1.0  # a longer one is a pause, and says nothing about the rhythm
_NUM_INTERVALS = 16
_MIN_INTERVALS = 4
_USUAL_INTERVAL_SECONDS = 0.2
_NUM_ANSWERS = 16
_BELONGS_TO_KEY_SECONDS = 0.3
_SHOWN_WITHIN_SECONDS = 0.5
_LONGEST_PAUSE_OF_SLOW_COMPUTERS = 0.15


def pause_to_wait(interval_seconds: float, answer_seconds: float, least_seconds: float) -> float:
    """Return how long to wait for a further key, in seconds.

    Args:
        interval_seconds: Usual time from key to key.
        answer_seconds: Usual time of the model.
        least_seconds: Shortest pause to wait for.

    Returns:
        The usual interval, so that half of the keys ask for nothing; less where the suggestion would come later than
        half a second after the last key, but then 0.15 s, since a slow computer gains nothing by being asked more.
    """
    longest = max(_SHOWN_WITHIN_SECONDS - answer_seconds, _LONGEST_PAUSE_OF_SLOW_COMPUTERS)
    return max(min(interval_seconds, longest), least_seconds)


class TypingPace:
    """The rhythm of the keys and of the model's answers lately. Lives on the loop thread."""

    def __init__(self) -> None:
        self._intervals: deque[float] = deque(maxlen=_NUM_INTERVALS)
        self._answers: deque[float] = deque(maxlen=_NUM_ANSWERS)
        self._last_key: float | None = None

    def typed(self, now: float) -> None:
        """Remember a key pressed at `now`, a time in seconds from any clock that only goes forward."""
        if self._last_key is not None and 0 < now - self._last_key <= _LONGEST_INTERVAL_SECONDS:
            self._intervals.append(now - self._last_key)
        self._last_key = now

    def is_typing(self, now: float) -> bool:
        """Return whether the last key was pressed right before `now`, so that what comes now comes of it."""
        return self._last_key is not None and now - self._last_key < _BELONGS_TO_KEY_SECONDS

    def answered(self, seconds: float) -> None:
        """Remember how long the model took for an answer."""
        self._answers.append(seconds)

    def pause(self, least_seconds: float) -> float:
        """Return how long to wait for a further key now, in seconds; see `pause_to_wait`."""
        is_known = len(self._intervals) >= _MIN_INTERVALS
        interval = statistics.median(self._intervals) if is_known else _USUAL_INTERVAL_SECONDS
        answer = statistics.median(self._answers) if self._answers else 0.0
        return pause_to_wait(interval, answer, least_seconds)
