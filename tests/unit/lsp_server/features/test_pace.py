import pytest

from codet5p.lsp_server.features.pace import TypingPace, pause_to_wait


@pytest.mark.parametrize(
    ("interval", "answer", "least", "expected"),
    [
        (0.18, 0.12, 0.05, 0.18),  # as long as from key to key
        (0.40, 0.12, 0.05, 0.38),  # shown half a second after the last key
        (0.20, 0.30, 0.05, 0.20),
        (0.30, 0.30, 0.05, 0.20),
        (0.30, 0.90, 0.05, 0.15),  # a slow computer is not asked more often
        (0.02, 0.12, 0.05, 0.05),
        (0.18, 0.12, 0.60, 0.60),
    ],
)
def test_the_pause_is_that_of_the_typist_within_bounds(
    interval: float, answer: float, least: float, expected: float
) -> None:
    assert pause_to_wait(interval, answer, least) == pytest.approx(expected)


def test_a_typist_not_known_yet_is_taken_for_a_usual_one() -> None:
    pace = TypingPace()
    assert pace.pause(0.05) == pytest.approx(0.2)
    for number in range(4):
        pace.typed(10 + 0.1 * number)
    assert pace.pause(0.05) == pytest.approx(0.2)


def test_the_rhythm_is_learnt_and_pauses_are_no_part_of_it() -> None:
    pace = TypingPace()
    now = 0.0
    for interval in (0.1, 0.1, 5.0, 0.1, 0.1, 30.0, 0.12, 0.1):
        now += interval
        pace.typed(now)
    assert pace.pause(0.05) == pytest.approx(0.1)
    for _ in range(20):
        now += 0.18
        pace.typed(now)
    assert pace.pause(0.05) == pytest.approx(0.18)


def test_slow_answers_shorten_the_pause() -> None:
    pace = TypingPace()
    for _ in range(5):
        pace.answered(0.33)
    assert pace.pause(0.05) == pytest.approx(0.17)


def test_what_follows_a_key_at_once_comes_of_it() -> None:
    pace = TypingPace()
    assert not pace.is_typing(1.0)
    pace.typed(1.0)
    assert pace.is_typing(1.1)
    assert not pace.is_typing(2.0)
