import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from layerstats.errors import ArgumentError
from layerstats.stats.proportions import effective_wilson, wilson_interval
from layerstats.stats.success.rate_intervals import Inference

# Newcombe 1998, method 3.
NEWCOMBE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]


@pytest.mark.parametrize(("count", "starts", "low", "high"), NEWCOMBE)
def test_published_intervals(count, starts, low, high):
    ends = wilson_interval(np.array([count]), np.array([starts]))
    assert np.round(np.ravel(ends), 4).tolist() == [low, high]
    if count:
        share = count / starts
        ends = effective_wilson(share, share * (1 - share) / starts, np.inf, starts)
    else:
        ends = effective_wilson(0.0, 0.0, np.inf, starts)
    assert np.round(ends, 4).tolist() == [low, high]


@given(st.integers(0, 400).flatmap(lambda starts: st.tuples(st.integers(0, starts), st.just(starts))))
def test_intervals_hold_their_share(case):
    count, starts = case
    low, high = (float(end[0]) for end in wilson_interval(np.array([count]), np.array([starts])))
    if starts == 0:
        assert np.isnan([low, high]).all()
        return
    assert 0 <= low <= count / starts <= high <= 1
    mirrored = wilson_interval(np.array([starts - count]), np.array([starts]))
    assert np.allclose([low, high], [1 - mirrored[1][0], 1 - mirrored[0][0]], atol=1e-12)


@given(st.floats(0, 1), st.floats(0, 0.3), st.integers(2, 50), st.integers(1, 10**6))
@example(rate=0.5, variance=5e-324, freedom=2, starts=1)
def test_effective_intervals_hold_their_rate(rate, variance, freedom, starts):
    low, high = effective_wilson(rate, variance, freedom, starts)
    assert 0 <= low <= rate <= high <= 1
    # Half of the smallest number is 0, where starts count as they are.
    if variance / 2 > 0:
        narrow = effective_wilson(rate, variance / 2, freedom, starts)
        assert high - low >= narrow[1] - narrow[0] - 1e-9


def test_options_are_checked():
    with pytest.raises(ArgumentError, match="networks"):
        Inference(networks="random")
    with pytest.raises(ArgumentError, match="conf_level"):
        Inference(conf_level=1.0)
