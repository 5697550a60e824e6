"""How long to wait for a further key: what fixed and adaptive pauses cost and bring, on simulated typing.

    python -m benchmarks.typing_rhythm

Keys come at log-normal intervals around a typist's median; one in eight is followed by a pause for thought. The model
answers after a given time and cannot be interrupted in the first part of it. Nothing is measured on a clock: the same
numbers come out on every computer.

`busy` is the share of time in which the model computes. `in pauses` is the share of pauses of half a second or more in
which the suggestion came in time, `after` how long after the last key it then came. `flashed` is the share of all keys
before which a suggestion appeared only to be typed over.
"""

import argparse
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from codet5p.lsp_server.features.pace import TypingPace

_KEYS = 20_000
_SPREAD = 0.45
_PAUSE_SHARE = 0.12
_PAUSE_SECONDS = 0.5
_ANSWERS = ((0.12, 0.06), (0.3, 0.12), (0.8, 0.3))  # time of an answer; its part that cannot be interrupted
_TYPISTS = (0.1, 0.18, 0.3)

_Wait = Callable[[float], float]  # from the time of this key to the pause to wait for


@dataclass(frozen=True, kw_only=True, slots=True)
class _Outcome:
    busy: float
    shown_in_pauses: float
    shown_after_ms: float
    flashed: float


def main() -> None:
    """Simulate every typist with every model and print the table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    table = Table(title="Pauses to wait for, simulated", title_justify="left")
    for column in ("answer", "key to key", "policy", "busy %", "in pauses %", "after ms", "flashed %"):
        table.add_column(column, justify="left" if column == "policy" else "right")
    for answer, fixed_part in _ANSWERS:
        for median in _TYPISTS:
            intervals = _intervals(median)
            for name, wait in _policies(answer):
                outcome = _type(intervals, wait, answer, fixed_part)
                table.add_row(
                    f"{1000 * answer:.0f} ms",
                    f"{1000 * median:.0f} ms",
                    name,
                    f"{100 * outcome.busy:.0f}",
                    f"{100 * outcome.shown_in_pauses:.0f}",
                    f"{outcome.shown_after_ms:.0f}",
                    f"{100 * outcome.flashed:.1f}",
                )
            table.add_section()
    Console().print(table)


def _policies(answer: float) -> list[tuple[str, _Wait]]:
    pace = TypingPace()
    pace.answered(answer)

    def adaptive(now: float) -> float:
        pace.typed(now)
        return pace.pause(0.05)

    return [("50 ms", lambda _: 0.05), ("150 ms", lambda _: 0.15), ("250 ms", lambda _: 0.25), ("adaptive", adaptive)]


def _intervals(median: float) -> list[float]:
    source = random.Random(1)
    return [
        0.3 + 0.9 * source.lognormvariate(0, 0.6)
        if source.random() < _PAUSE_SHARE
        else median * source.lognormvariate(0, _SPREAD)
        for _ in range(_KEYS)
    ]


def _type(intervals: list[float], wait: _Wait, answer: float, fixed_part: float) -> _Outcome:
    now = busy_until = computed = 0.0
    shown, flashed, pauses = [], 0, 0
    for interval in intervals:
        begun = max(now + wait(now), busy_until)
        pauses += interval >= _PAUSE_SECONDS
        if begun < now + interval:
            finished = begun + answer
            busy_until = finished if finished <= now + interval else max(begun + fixed_part, now + interval)
            computed += busy_until - begun
            if finished <= now + interval and interval >= _PAUSE_SECONDS:
                shown.append(finished - now)
            elif finished <= now + interval:
                flashed += 1
        now += interval
    return _Outcome(
        busy=computed / now,
        shown_in_pauses=len(shown) / pauses,
        shown_after_ms=1000 * statistics.fmean(shown),
        flashed=flashed / len(intervals),
    )


if __name__ == "__main__":
    main()
