"""The models that are compared, and what resampling adds to them."""

from __future__ import annotations

from dataclasses import dataclass

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
        Whether AR(1) residuals take the lag-1 autocorrelation of the model without.
    resampling
        ``None``: p-values and intervals of the model. ``"tokens"`` or ``"speakers"``: p-values by permutation of what
        is exchanged. ``"bootstrap"``: intervals by resampling speakers. All hold the smoothing parameters; with
        `refit` they estimate them anew each time.
    refit
        See `resampling`.
    """

    name: str
    random: tuple[str, ...] = ()
    autoregressive: bool = True
    resampling: str | None = None
    refit: bool = False

    @property
    def formula(self) -> str:
        """The model."""
        return " + ".join([FIXED, *self.random])

    @property
    def by_cell(self) -> bool:
        """Whether speakers have versions of labels of their own."""
        return CELL in self.random

    def possible_in(self, world: World) -> bool:
        """Return whether a world has the data it needs: several tokens of a speaker's label."""
        return not self.by_cell or world.tokens > 1


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
    Recipe("permute tokens, held", (TOKEN, SPEAKER), resampling="tokens"),
    Recipe("permute speakers, held", (TOKEN, SPEAKER, CELL), resampling="speakers"),
    Recipe("bootstrap speakers, held", (TOKEN, SPEAKER), resampling="bootstrap"),
    Recipe("permute tokens, refit", (TOKEN, SPEAKER), resampling="tokens", refit=True),
    Recipe("permute speakers, refit", (TOKEN, SPEAKER, CELL), resampling="speakers", refit=True),
    Recipe("bootstrap speakers, refit", (TOKEN, SPEAKER), resampling="bootstrap", refit=True),
)
