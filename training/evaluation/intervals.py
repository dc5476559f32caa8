"""Confidence intervals: how far a figure might lie elsewhere with other pictures of the same kind."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, bootstrap

from training.metrics import Scores, score

LEVEL: Final = 0.95
RESAMPLES: Final = 2000
_SEED: Final = 0


class Interval(NamedTuple):
    """The ends of a confidence interval, 0..1."""

    low: float
    high: float


def wilson(hits: int, count: int) -> Interval:
    """Return the 95 % interval of a share, `hits` of `count` (Wilson, 1927); (0, 1) when `count` is 0."""
    if count == 0:
        return Interval(0.0, 1.0)
    interval = binomtest(hits, count).proportion_ci(LEVEL, method="wilson")
    return Interval(float(interval.low), float(interval.high))


def resample(
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    labels: tuple[str, ...],
    figure: Callable[[Scores], float],
) -> Interval:
    """Return the 95 % interval of a figure that is no share: percentiles of a bootstrap over pictures.

    The arguments are those of `training.metrics.score`. The draws depend on nothing but the number of
    pictures. (0, 1) for fewer than two pictures.
    """
    known = np.flatnonzero(truth >= 0)
    if len(known) < 2:
        return Interval(0.0, 1.0)
    found = bootstrap(
        (known,),
        lambda rows: figure(score(truth[rows], predicted[rows], labels)),
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        vectorized=False,
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Interval(float(found.low), float(found.high))
