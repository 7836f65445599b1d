"""The models that are compared, and what resampling adds to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layerstats.stats.resampling.calibration.worlds import World

FIXED = "value ~ label + s(time) + s(time, by=label_ordered)"
TOKEN = 's(time, token, bs="fs", m=1)'
SPEAKER = 's(time, speaker, bs="fs", m=1)'
CELL = 's(time, speaker_label, bs="fs", m=1)'


@dataclass(frozen=True)
class Recipe:
    """A way to analyse a data set.

    Attributes
    ----------
    name
        As in tables.
    random
        The random terms.
    autoregressive
        Whether AR(1) residuals take the lag-1 autocorrelation of the model without; "chosen": where the criterion is
        lower so, as contrasts do.
    resampling
        ``None``: p-values and intervals of the model. ``"tokens"`` or ``"speakers"``: p-values by permutation of what
        is exchanged. ``"bootstrap"``: intervals by resampling speakers. All hold the smoothing parameters; with
        `refit` they estimate them anew each time.
    refit
        See `resampling`.
    """

    name: str
    random: tuple[str, ...] = ()
    autoregressive: bool | Literal["chosen"] = True
    resampling: str | None = None
    refit: bool = False

    def formula(self, world: World) -> str:
        """Return the model; with one token a label, tokens are the speakers' versions of labels already."""
        return " + ".join([FIXED, *(term for term in self.random if term != CELL or world.tokens > 1)])

    def counts_speakers(self, world: World) -> bool:
        """Return whether speakers' versions of labels have a term of their own, so that tests may count speakers."""
        return CELL in self.random if world.tokens > 1 else SPEAKER in self.random

    def possible_in(self, world: World) -> bool:
        """Return whether it is a recipe of its own in a world: models of cells need several tokens of each."""
        return CELL not in self.random or world.tokens > 1 or self.resampling is not None


FEW = 's(time, token, bs="fs", m=1, k=3)'
RECIPES = (
    Recipe("no random smooths", autoregressive=False),
    Recipe("AR"),
    Recipe("AR + fs token, k=3", (FEW,)),
    Recipe("fs token", (TOKEN,), autoregressive=False),
    Recipe("AR + fs token", (TOKEN,)),
    Recipe("AR + fs token + fs speaker", (TOKEN, SPEAKER)),
    Recipe("fs token + fs speaker + fs speaker-label", (TOKEN, SPEAKER, CELL), autoregressive=False),
    Recipe("AR + fs token + fs speaker + fs speaker-label", (TOKEN, SPEAKER, CELL)),
    Recipe("AR chosen + fs token + fs speaker", (TOKEN, SPEAKER), autoregressive="chosen"),
    Recipe("AR chosen + fs token + fs speaker + fs speaker-label", (TOKEN, SPEAKER, CELL), autoregressive="chosen"),
    Recipe("permute tokens, held", (TOKEN, SPEAKER), resampling="tokens"),
    Recipe("permute speakers, held", (TOKEN, SPEAKER, CELL), resampling="speakers"),
    Recipe("bootstrap speakers, held", (TOKEN, SPEAKER), resampling="bootstrap"),
    Recipe("permute tokens, refit", (TOKEN, SPEAKER), resampling="tokens", refit=True),
    Recipe("permute speakers, refit", (TOKEN, SPEAKER, CELL), resampling="speakers", refit=True),
    Recipe("bootstrap speakers, refit", (TOKEN, SPEAKER), resampling="bootstrap", refit=True),
)
