"""Simulated designs against what R says of them (`clmm_reference.R`; ordinal 2022.11, lme4 1.1-31, mgcv 1.8-41)."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from clmm_designs import SimulatedDesign, simulated_designs
from scipy import special

from layerstats.stats import ClmmResult, clmm

HERE = Path(__file__).parent
REFERENCE = pd.read_csv(HERE / "clmm_reference.csv").fillna({"term": ""})
DESIGNS = {design.name: design for design in simulated_designs()}
OF_CLMM = sorted(REFERENCE.loc[REFERENCE["source"] == "clmm", "name"].unique())
OF_GLMER = sorted(REFERENCE.loc[REFERENCE["source"] == "glmer", "name"].unique())
OF_OCAT = sorted(REFERENCE.loc[REFERENCE["source"] == "ocat", "name"].unique())
# Here clmm's standard errors are not those of its likelihood: its second differences take modes that are not exact.
# Ours are compared with second differences of the likelihood instead.
INEXACT_ERRORS = {
    "design_00_0", "design_01_3", "design_02_1", "design_02_2", "design_05_1", "design_07_1", "design_08_1",
    "design_08_3",
}  # fmt: skip


@functools.cache
def fitted(name: str) -> ClmmResult:
    design = DESIGNS[name]
    return clmm(design.formula, design.frame, link=design.link, threshold=design.threshold)


def reference(name: str, source: str) -> pd.DataFrame:
    return REFERENCE[(REFERENCE["name"] == name) & (REFERENCE["source"] == source)]


def beside(name: str, source: str, quantity: str) -> pd.DataFrame:
    """Return R's rows of thresholds or coefficients beside ours."""
    result = fitted(name)
    own = result.thresholds if quantity == "threshold" else result.coefficients
    rows = reference(name, source).query("quantity == @quantity")
    merged = rows.merge(own, on="term", suffixes=("_r", ""), how="outer")
    assert len(merged) == len(own)
    return merged


def value(name: str, source: str, quantity: str) -> float:
    return reference(name, source).query("quantity == @quantity")["estimate"].item()


def test_there_are_forty_designs_of_clmm():
    assert len(OF_CLMM) == 40
    assert len(OF_GLMER) == 4
    assert len(OF_OCAT) == 8


@pytest.mark.parametrize("name", OF_CLMM)
def test_likelihood_and_estimates_are_clmms(name):
    assert fitted(name).glance["log_lik"].item() >= value(name, "clmm", "log_lik") - 1e-5
    assert fitted(name).glance["log_lik"].item() == pytest.approx(value(name, "clmm", "log_lik"), abs=1e-4)
    for quantity in ("threshold", "coefficient"):
        rows = beside(name, "clmm", quantity)
        np.testing.assert_allclose(rows["estimate"], rows["estimate_r"], atol=1e-4)


@pytest.mark.parametrize("name", OF_CLMM)
def test_standard_deviations_are_clmms(name):
    """As a set: clmm changes the names of two factors that have the same number of levels."""
    theirs = reference(name, "clmm").query("quantity == 'std_dev'")["estimate"]
    np.testing.assert_allclose(sorted(fitted(name).random["std_dev"]), sorted(theirs), atol=1e-4)


@pytest.mark.parametrize("name", sorted(set(OF_CLMM) - INEXACT_ERRORS))
def test_standard_errors_are_clmms(name):
    for quantity in ("threshold", "coefficient"):
        rows = beside(name, "clmm", quantity)
        np.testing.assert_allclose(rows["std_error"], rows["std_error_r"], atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(INEXACT_ERRORS))
def test_standard_errors_are_those_of_the_likelihood(name):
    """By second differences of a likelihood that is written here once more, at our estimates."""
    result = fitted(name)
    likelihood = DenseLaplace(DESIGNS[name], result)
    point = result.estimates.to_numpy()
    errors = np.sqrt(np.diag(result.covariance))
    estimates = [second_differences(likelihood, point, distance * errors) for distance in (0.05, 0.1)]
    information = (4 * estimates[0] - estimates[1]) / 3
    expected = np.sqrt(np.diag(np.linalg.inv(-information)))
    count = len(result.thresholds) + len(result.coefficients)
    np.testing.assert_allclose(errors[:count], expected[:count], rtol=2e-4)


@pytest.mark.parametrize("name", [name for name in OF_GLMER if DESIGNS[name].link == "logit"])
def test_two_categories_are_glmers(name):
    assert fitted(name).glance["log_lik"].item() == pytest.approx(value(name, "glmer", "log_lik"), abs=1e-5)
    for quantity in ("threshold", "coefficient"):
        rows = beside(name, "glmer", quantity)
        np.testing.assert_allclose(rows["estimate"], rows["estimate_r"], atol=1e-4)
        np.testing.assert_allclose(rows["std_error"], rows["std_error_r"], atol=1e-4)
    theirs = reference(name, "glmer").query("quantity == 'std_dev'").sort_values("term")
    own = fitted(name).random.sort_values("group")
    np.testing.assert_allclose(own["std_dev"], theirs["estimate"], atol=1e-4)


@pytest.mark.parametrize("name", [name for name in OF_GLMER if DESIGNS[name].link == "probit"])
def test_two_categories_by_probit_are_near_glmers(name):
    """lme4 takes expected curvature for the probit link, and so another approximation."""
    rows = beside(name, "glmer", "coefficient")
    np.testing.assert_allclose(rows["estimate"], rows["estimate_r"], atol=0.03)


@pytest.mark.parametrize("name", OF_OCAT)
def test_ocat_is_near(name):
    """mgcv takes coefficients at their joint mode with the random effects, which is a little nearer to zero."""
    assert fitted(name).glance["log_lik"].item() == pytest.approx(value(name, "ocat", "log_lik"), abs=0.01)
    rows = beside(name, "ocat", "coefficient")
    np.testing.assert_allclose(rows["estimate"], rows["estimate_r"], atol=0.04)
    np.testing.assert_allclose(rows["std_error"], rows["std_error_r"], atol=0.02)


@pytest.mark.r
@pytest.mark.slow
def test_reference_is_what_r_says(tmp_path):
    chosen = [DESIGNS[name] for name in ("design_01_0", "design_05_3", "design_10_0")]
    for design in chosen:
        design.frame.to_csv(tmp_path / f"{design.name}.csv", index=False)
    listed = [(design.name, design.formula, design.link, design.threshold) for design in chosen]
    pd.DataFrame(listed, columns=["name", "formula", "link", "threshold"]).to_csv(tmp_path / "designs.csv", index=False)
    rscript = shutil.which("Rscript")
    if (
        rscript is None
        or subprocess.run([rscript, "-e", "library(ordinal); library(lme4)"], capture_output=True).returncode
    ):
        pytest.skip("R's packages ordinal and lme4 are not installed")
    command = [rscript, str(HERE / "clmm_reference.R"), str(tmp_path), str(tmp_path / "found.csv")]
    subprocess.run(command, check=True, capture_output=True)
    found = pd.read_csv(tmp_path / "found.csv").fillna({"term": ""}).query("quantity != 'gradient'")
    keys = ["name", "source", "quantity", "term"]
    merged = found.merge(REFERENCE, on=keys, suffixes=("_now", "_then"))
    assert len(merged) == len(found) > 20
    np.testing.assert_allclose(merged["estimate_now"], merged["estimate_then"], atol=1e-4)


class DenseLaplace:
    """The Laplace log likelihood by dense matrices and numerical derivatives of nothing but the density."""

    def __init__(self, design: SimulatedDesign, result: ClmmResult) -> None:
        self.result = result
        self.logit = design.link == "logit"
        self.codes = design.frame["rating"].to_numpy() - 1
        latent = result.latent_model()
        self.unpack, self.designs = latent.unpack, latent.designs(result.frame)
        self.levels = [pd.factorize(design.frame[name])[0] for name in result.random["group"].unique()]
        self.start = None

    def __call__(self, parameters: np.ndarray) -> float:
        parts = self.unpack(parameters)
        wide = []
        for codes, columns, covariance in zip(self.levels, self.designs.random, parts.covariances, strict=True):
            root = np.linalg.cholesky(covariance)
            scaled = columns @ root
            one_hot = np.eye(codes.max() + 1)[codes]
            wide.append(np.einsum("il,ie->ile", one_hot, scaled).reshape(len(codes), -1))
        columns = np.column_stack(wide)
        ends = np.r_[-np.inf, parts.thresholds, np.inf]
        base = self.designs.fixed @ parts.coefficients
        effects = np.zeros(columns.shape[1]) if self.start is None else self.start
        for _ in range(50):
            predictor = base + columns @ effects
            value, first, second = self.density(ends[self.codes + 1] - predictor, ends[self.codes] - predictor)
            hessian = np.eye(len(effects)) - columns.T @ (second[:, None] * columns)
            step = np.linalg.solve(hessian, columns.T @ -first - effects)
            if np.abs(step).max() < 1e-10:
                break
            effects = effects + step
        self.start = effects
        return float(value.sum() - effects @ effects / 2 - np.linalg.slogdet(hessian)[1] / 2)

    def density(self, upper: np.ndarray, lower: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if self.logit:
            probability = special.expit(upper) - special.expit(lower)
            slopes = [special.expit(end) * special.expit(-end) for end in (upper, lower)]
            bends = [slope * (1 - 2 * special.expit(end)) for slope, end in zip(slopes, (upper, lower), strict=True)]
        else:
            probability = special.ndtr(upper) - special.ndtr(lower)
            slopes = [np.exp(-(end**2) / 2) / np.sqrt(2 * np.pi) for end in (upper, lower)]
            finite = [np.where(np.isfinite(end), end, 0.0) for end in (upper, lower)]
            bends = [-end * slope for slope, end in zip(slopes, finite, strict=True)]
        first = (slopes[0] - slopes[1]) / probability
        return np.log(probability), first, (bends[0] - bends[1]) / probability - first**2


def second_differences(function, point: np.ndarray, distances: np.ndarray) -> np.ndarray:
    steps = np.diag(distances)
    found = np.empty((len(point), len(point)))
    for row, first in enumerate(steps):
        for column, second in enumerate(steps[: row + 1]):
            total = function(point + first + second) - function(point + first - second)
            total -= function(point - first + second) - function(point - first - second)
            found[row, column] = found[column, row] = total / (4 * distances[row] * distances[column])
    return found
