"""What a loop counts of itself."""

from shared.metrics.loop import loop_metrics
from tests.shared.metrics.scraped import collect


def test_batches_and_what_became_of_them_are_counted() -> None:
    metrics = loop_metrics()
    metrics.take([1, 1, 1])
    metrics.take([4])
    metrics.commit(3, of=3)
    metrics.commit(0, of=1)
    with metrics.timed("align"):
        pass
    read = collect(metrics.registry)
    assert (read["reelmood_batch_size_count"], read["reelmood_batch_size_sum"]) == (2, 4)
    assert read['reelmood_batch_size_bucket{le="1.0"}'] == 1
    assert read["reelmood_reclaimed_total"] == 1
    assert (read["reelmood_committed_total"], read["reelmood_overtaken_total"]) == (3, 1)
    assert read['reelmood_step_seconds_count{step="align"}'] == 1
    assert read['reelmood_step_seconds_sum{step="align"}'] >= 0
