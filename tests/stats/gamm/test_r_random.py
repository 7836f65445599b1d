"""Draws equal those of R."""

import numpy as np
import pytest

from layerstats.stats.gamm.r_random import NormalDraws

# set.seed(seed); x <- rnorm(200000); print(c(x[1], x[2], sum(x), x[200000]), digits = 15) in R 4.2.2
PRINTED = {
    0: (1.26295428488079, -0.326233360705649, -284.544712083581, -0.237959599876388),
    42: (1.37095844714667, -0.564698171396089, -561.643010847581, 1.58173474238549),
    2**31 - 1: (0.494907901076881, -0.853235969526475, 449.687585922007, 0.756517914312813),
    -5: (0.626769299735788, -0.874050820824504, -352.358407864769, 1.41024268756164),
}


@pytest.mark.parametrize("seed", PRINTED)
def test_draws_are_those_of_r(seed):
    normal = NormalDraws(seed)
    draws = np.concatenate([normal.take(70_000), normal.take(130_000)])
    assert (draws[0], draws[1], draws.sum(), draws[-1]) == pytest.approx(PRINTED[seed], rel=1e-12)
