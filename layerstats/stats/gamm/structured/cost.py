"""How long a fit will take, said before most of it is done, and how far it is."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from layerstats.stats.gamm.structured.full_crossproduct import coefficient_count
from layerstats.stats.gamm.structured.inference.block_spectrum import POINTS, by_eigenvalues
from layerstats.stats.gamm.structured.model import Model

# Seconds that nobody needs to be told of.
LONG = 20.0
# Evaluations of the criterion, with two starts and with one, as the random models of the tests need at most.
_EVALUATIONS = 45, 20
# Of `bam(discrete=TRUE)`: its time grows with the cube of its coefficients, and with the smoothing parameters. Measured
# at 2,500 and 9,700 coefficients, with the seconds that a multiplication takes there.
_BAM, _BAM_PARAMETERS = 1.0e-9, 10
# In evaluations: a determinant of the tests of nested blocks. In products of matrices: eigenvalues, and determinants.
_NESTED, _EIGENVALUES, _MULTIPLICATION = 0.25, 4.0, 4e-11


class Meter:
    """Measures one evaluation of the criterion, and reckons how long the fit takes.

    Parameters
    ----------
    model
        What is fitted.
    compete
        Whether there are two starts.
    progress
        Called with the seconds that are done and those that are expected, where they are more than 20.
    """

    def __init__(self, model: Model, compete: bool, progress: Callable[[int, int], None] | None = None) -> None:
        self._model, self._progress = model, progress
        self._evaluations = _EVALUATIONS[0] if compete else _EVALUATIONS[1]
        self._begin, self._each, self._done = time.perf_counter(), 0.0, 0
        #: Seconds that the whole fit is expected to take.
        self.expected = 0.0

    def step(self) -> None:
        """Note that the criterion and its derivatives were evaluated once more."""
        self._done += 1
        if self._done == 1:
            self._each = time.perf_counter() - self._begin
            self.expected = self._evaluations * self._each + self._seconds_of_tests()
        self._say(min(self._done, self._evaluations) * self._each)

    def finish(self) -> None:
        """Note that all is done."""
        self._say(self.expected)

    def _say(self, seconds: float) -> None:
        if self._progress is not None and self.expected > LONG:
            self._progress(math.floor(seconds), math.ceil(self.expected))

    def _seconds_of_tests(self) -> float:
        model = self._model
        if model.outer:
            return POINTS * _NESTED * self._each * (1 + len(model.outer))
        levels, columns = min(model.level_count, len(model.rows.frame)), model.dense_count
        seconds = 0.0
        for term in model.blocks:
            rows, wide = levels * term.functions, columns if len(model.blocks) == 1 else 3 * columns
            if by_eigenvalues(rows, wide):
                seconds += _MULTIPLICATION * _EIGENVALUES * rows**3
            else:
                seconds += _MULTIPLICATION * POINTS * (5.4 * wide**3 + 2.0 * rows * wide**2)
        return seconds


def seconds_of_bam(model: Model, penalties: int) -> float:
    """Return about how long `bam(discrete=TRUE)` takes, on one thread."""
    return _BAM * coefficient_count(model) ** 3 * (1 + penalties / _BAM_PARAMETERS)


def note_on_cost(model: Model, penalties: int, expected: float) -> tuple[str, ...]:
    """Return what to say of a fit that was expected to take long, and of what may take less."""
    if expected <= LONG:
        return ()
    other = seconds_of_bam(model, penalties)
    note = f"The fit was expected to take about {expected:.0f} s"
    if other > expected / 3:
        return (f"{note}.",)
    return (
        f"{note}; with engine='mgcv' and discrete=True it may take about {other:.0f} s, of a model that is slightly "
        "another: covariates are rounded to a grid.",
    )
