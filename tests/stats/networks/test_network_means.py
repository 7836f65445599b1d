"""Means over networks against published numbers, textbook tests and REML by its definition."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, stats

from layerstats.stats.networks.means import difference_of_networks, mean_of_networks, variance_between_networks

# Van Dyke et al.'s spin-echo and cine MRI, five readers and 114 cases: empirical areas under the ROC curve and the
# covariances of their errors, as printed by the R packages RJafroc and MRMCaov. Readers are our networks, cases our
# speakers; in these packages the number of cases has no part in the degrees of freedom.
READERS = np.array(
    [
        [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066],
        [0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169],
    ]
)
ERROR, COV_1, COV_2, COV_3 = 0.0008022883, 0.0003466137, 0.0003440748, 0.0002390284
COV_2_OF_TEST = (0.0004839618, 0.0002041879)
MANY = 10**9


def exchangeable(size, alone, shared):
    return np.full((size, size), shared) + (alone - shared) * np.eye(size)


@pytest.mark.parametrize(
    ("test", "std_error", "df", "interval"),
    [(0, 0.03317360, 12.74465, (0.8252236, 0.9688505)), (1, 0.02156637, 12.71019, (0.8941378, 0.9875369))],
)
def test_published_mean_over_readers(test, std_error, df, interval):
    estimate = mean_of_networks(READERS[test], exchangeable(5, ERROR, COV_2_OF_TEST[test]), MANY)
    assert_allclose(estimate.value, READERS[test].mean())
    assert_allclose(estimate.std_error, std_error, rtol=1e-6)
    assert_allclose(estimate.df, df, rtol=1e-6)
    assert_allclose(estimate.interval(0.95), interval, atol=1e-6)


def test_published_difference_between_paired_readers():
    same, other = exchangeable(5, ERROR, COV_2), exchangeable(5, COV_1, COV_3)
    covariance = np.block([[same, other], [other, same]])
    estimate = difference_of_networks(READERS[0], READERS[1], covariance, MANY, paired=True)
    assert_allclose(estimate.value, -0.04380032, atol=1e-8)
    assert_allclose(estimate.std_error, 0.02074862, rtol=1e-6)
    assert_allclose(estimate.df, 15.25967, rtol=1e-6)
    assert_allclose(estimate.p_value, 0.05166569, rtol=1e-5)
    assert_allclose(estimate.interval(0.95), (-0.0879594986, 0.0003588544), atol=1e-7)


def test_without_sampling_error_these_are_the_t_tests_of_textbooks(rng):
    first, second = rng.normal(1, 0.4, 5), rng.normal(0, 0.1, 4)
    welch = stats.ttest_ind(first, second, equal_var=False)
    estimate = difference_of_networks(first, second, np.zeros((9, 9)), 16, paired=False)
    assert_allclose(estimate.p_value, welch.pvalue)
    assert_allclose(estimate.df, welch.df)
    assert_allclose(estimate.interval(0.9), welch.confidence_interval(0.9))
    pairs = difference_of_networks(first[:4], second, np.zeros((8, 8)), 16, paired=True)
    assert_allclose(pairs.p_value, stats.ttest_rel(first[:4], second).pvalue)
    alone = mean_of_networks(first, np.zeros((5, 5)), 16)
    assert_allclose(alone.interval(0.95), stats.ttest_1samp(first, 0).confidence_interval(0.95))


def restricted_likelihood(effects, design, total):
    """Minus the log of the restricted likelihood, written out, and the GLS estimate with its covariance."""
    inverse = np.linalg.inv(total)
    information = design.T @ inverse @ design
    estimate = np.linalg.solve(information, design.T @ inverse @ effects)
    residual = effects - design @ estimate
    terms = np.linalg.slogdet(total)[1] + np.linalg.slogdet(information)[1] + residual @ inverse @ residual
    return terms / 2, estimate, np.linalg.inv(information)


@pytest.mark.parametrize("spread", [0.5, 0.05])
def test_closed_form_is_reml(rng, spread):
    """Two kinds of five and four networks; with the small spread a variance comes out as zero."""
    first, second = rng.normal(1.0, spread, 5), rng.normal(0.6, 0.3, 4)
    sampling = np.block(
        [
            [exchangeable(5, 0.05, 0.03), np.full((5, 4), 0.02)],
            [np.full((4, 5), 0.02), exchangeable(4, 0.04, 0.025)],
        ]
    )
    effects, design = np.concatenate([first, second]), np.repeat(np.eye(2), [5, 4], axis=0)

    def fit(variances):
        return restricted_likelihood(effects, design, sampling + np.diag(np.repeat(variances, [5, 4])))

    best = optimize.minimize(lambda v: fit(v)[0], [0.1, 0.1], bounds=[(0, None)] * 2, method="L-BFGS-B", tol=1e-14)
    _, means, covariance = fit(best.x)
    contrast = np.array([1, -1])
    estimate = difference_of_networks(first, second, sampling, 16, paired=False)
    assert_allclose(estimate.value, contrast @ means, atol=1e-8)
    assert_allclose(estimate.std_error, np.sqrt(contrast @ covariance @ contrast), rtol=1e-4)
    assert_allclose(variance_between_networks(first, sampling[:5, :5]), best.x[0], atol=1e-5)
    assert_allclose(mean_of_networks(second, sampling[5:, 5:], 16).std_error, np.sqrt(covariance[1, 1]), rtol=1e-4)
    if spread < 0.1:
        assert best.x[0] == 0


def test_parts_of_the_standard_error(rng):
    estimate = mean_of_networks(rng.normal(size=6), exchangeable(6, 0.5, 0.2), 12)
    assert_allclose(np.hypot(estimate.seed_std_error, estimate.speaker_std_error), estimate.std_error)
    assert_allclose(estimate.speaker_std_error, np.sqrt(0.2))


def test_networks_that_are_all_the_same_have_no_test():
    estimate = difference_of_networks(np.zeros(3), np.zeros(3), np.zeros((6, 6)), 9, paired=False)
    assert np.isnan(estimate.p_value)
    assert estimate.interval(0.95) == (0, 0)
