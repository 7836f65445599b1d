"""Attempts with known truth: networks, judges, classes and starts that differ by so much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from layerstats.stats.success.judged_starts import JudgedStarts

RECOGNISER = "recogniser"


@dataclass(frozen=True)
class AttemptWorld:
    """What varies in simulated attempts: standard deviations on the probit scale, where one answer has 1.

    A judge hears the target where ``level + class + network + judge + pair + start + noise > 0``.

    Attributes
    ----------
    name
        As in tables.
    networks, classes, starts
        How many: networks that judge each other, and beside them a recogniser; starts of each class.
    rate
        Mean rate over classes, networks and starts.
    class_sd
        Of classes. With 2.4 the correlation of answers within a class is .56 at a rate of .675.
    network_sd
        Of target networks, and separately of judges.
    class_by_network_sd
        Of target networks within classes.
    pair_sd
        Of pairs of target network and judge.
    start_sd
        Of starts, the same in all networks and for all judges.
    own
        By how much the target network is more likely to hear itself, on the probit scale.
    set_up_sd
        Of target networks within set-ups.
    """

    name: str
    networks: int
    classes: int = 10
    starts: int = 20
    rate: float = 0.675
    class_sd: float = 2.4
    network_sd: float = 0.3
    class_by_network_sd: float = 0.3
    pair_sd: float = 0.2
    start_sd: float = 0.5
    own: float = 0.0
    set_up_sd: float = 0.3

    @property
    def random_variance(self) -> float:
        """Variance of one answer within a class, over networks, judges and starts."""
        networks = 2 * self.network_sd**2 + self.set_up_sd**2 + self.class_by_network_sd**2 + self.pair_sd**2
        return networks + self.start_sd**2 + 1

    @property
    def level(self) -> float:
        """What the mean of everything must be for the rate."""
        return float(stats.norm.ppf(self.rate)) * np.sqrt(self.random_variance + self.class_sd**2)

    def class_effects(self, generator: np.random.Generator, drawn: bool) -> np.ndarray:
        """Return effects of classes, (class,): drawn, or the quantiles of their distribution."""
        if drawn:
            return self.class_sd * generator.normal(size=self.classes)
        return self.class_sd * stats.norm.ppf((np.arange(self.classes) + 0.5) / self.classes)

    def draw(self, generator: np.random.Generator, drawn_classes: bool = False, shift: float = 0.0) -> SimulatedPair:
        """Draw attempts of two set-ups that share classes, networks and starts; the second is `shift` easier."""
        size = self.networks
        classes = self.class_effects(generator, drawn_classes)
        judges = self.network_sd * generator.normal(size=size + 1)
        shared = self.network_sd * generator.normal(size=size)
        pairs = self.pair_sd * generator.normal(size=(size, size + 1))
        pairs[np.arange(size), np.arange(size)] += self.own
        within = self.class_by_network_sd * generator.normal(size=(size, self.classes))
        starts = self.start_sd * generator.normal(size=(self.classes, self.starts))
        sides = []
        for number in range(2):
            networks = shared + self.set_up_sd * generator.normal(size=size)
            cell = (
                self.level
                + number * shift
                + classes[None, :, None]
                + networks[:, None, None]
                + judges[None, None, :]
                + within[:, :, None]
                + pairs[:, None, :]
            )
            noise = generator.normal(size=(size, self.classes, self.starts, size + 1))
            right = cell[:, :, None, :] + starts[None, :, :, None] + noise > 0
            sides.append((_laid_out(right), stats.norm.cdf(cell / np.sqrt(1 + self.start_sd**2))))
        return SimulatedPair(sides[0][0], sides[0][1], sides[1][0], classes)

    def expected(self, classes: np.ndarray | None = None) -> float:
        """Return the rate of other networks' judgements: in these classes, or in the mean over others."""
        if classes is None:
            return self.rate
        return float(stats.norm.cdf((self.level + classes) / np.sqrt(self.random_variance)).mean())


@dataclass(frozen=True, eq=False)
class SimulatedPair:
    """Two set-ups, and how likely each cell (network, class, judge) of the first is, whatever the start."""

    first: JudgedStarts
    first_cells: np.ndarray
    second: JudgedStarts
    classes: np.ndarray


def _laid_out(right: np.ndarray) -> JudgedStarts:
    """Lay out (network, class, start, judge)."""
    networks, classes, starts, judges = right.shape
    names = tuple(f"network {number}" for number in range(networks))
    network, target, start = (np.ravel(one) for one in np.indices((networks, classes, starts)))
    flat = right.reshape(-1, judges).astype(float)
    return JudgedStarts(
        "simulated", "", names, tuple(f"class {number}" for number in range(classes)), (*names, RECOGNISER),
        network_of=network,
        target_of=target,
        names=target * starts + start,
        network_codes=np.arange(networks),
        known_networks=networks,
        right=flat,
        score=np.full_like(flat, np.nan),
        peers=names,
    )  # fmt: skip
