from hypothesis import given
from hypothesis import strategies as st

from codet5p.lsp_server.statistics import Statistics, percentile


def test_percentiles_of_known_values() -> None:
    hundred = [float(i) for i in range(100, 0, -1)]
    assert percentile(hundred, 0.5) == 50
    assert percentile(hundred, 0.95) == 95
    assert percentile(hundred, 1.0) == 100
    assert percentile(hundred, 0.0) == 1
    assert percentile([1.0, 2.0], 0.5) == 1
    assert percentile([3.0], 0.95) == 3
    assert percentile([], 0.5) is None


@given(values=st.lists(st.integers(0, 20), min_size=1), share=st.sampled_from([0.25, 0.5, 0.75, 0.95, 1.0]))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(values: list[int], share: float) -> None:
    enough = [value for value in values if sum(other <= value for other in values) >= share * len(values)]
    assert percentile(values, share) == min(enough)


def test_latencies_are_given_in_rounded_milliseconds() -> None:
    statistics = Statistics()
    assert statistics.latency_ms() == {"p50": None, "p95": None}
    for milliseconds in range(1, 21):
        statistics.record_latency(milliseconds / 1000 + 0.00001)
    assert statistics.latency_ms() == {"p50": 10.0, "p95": 19.0}


def test_only_the_last_thousand_latencies_count() -> None:
    statistics = Statistics()
    for seconds in [9.0] * 500 + [1.0] * 1000:
        statistics.record_latency(seconds)
    assert statistics.latency_ms() == {"p50": 1000.0, "p95": 1000.0}


def test_events_are_counted_by_name() -> None:
    statistics = Statistics()
    for event in ("shown", "accepted", "shown"):
        statistics.count(event)
    assert statistics.counts == {"shown": 2, "accepted": 1}
