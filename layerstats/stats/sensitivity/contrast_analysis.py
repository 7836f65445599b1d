"""All that is chosen when a contrast is analysed at a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.contrasts.fits import Rho
from layerstats.stats.contrasts.models import SpeakerTerms
from layerstats.stats.series import SAMPLES

EvidenceUnit = Literal["tokens", "speakers"]
TestKind = Literal["model", "exchange"]


@dataclass(frozen=True)
class ContrastAnalysis:
    """One way to analyse a contrast; what is not said is as `layer_contrasts` has it.

    Attributes
    ----------
    contrast
        What is compared; its variant says which stretch of a token, and whether duration is a covariate.
    speakers
        As in `word_contrasts`.
    items
        What else has a smooth, for instance ``("word",)``; by default `Contrast.items`.
    samples, k
        As in `word_contrasts`.
    rho
        As in `FitOptions`.
    engine
        As for `layerstats.stats.gamm.fit`.
    unit
        "tokens": a series a token (or phone); "speakers": a speaker's mean series of each level.
    recording
        Another recording of the same network, in which channels are summarised otherwise; by default the experiment's.
    trimmed
        Whether tokens count whose end was cut off because they are longer than the clip.
    test
        "model": the joint test of the fitted model; "exchange": whole speakers' labels are exchanged, which does not
        rely on the model's residuals.

    Examples
    --------
    >>> analysis = ContrastAnalysis(Contrast.of_phones("s:sh"), unit="speakers")
    >>> analysis.unit, analysis.speakers
    ('speakers', 'auto')
    """

    contrast: Contrast
    speakers: SpeakerTerms = "auto"
    items: tuple[str, ...] | None = None
    samples: int | None = SAMPLES
    k: int | None = None
    rho: Rho = "auto"
    engine: str = "auto"
    unit: EvidenceUnit = "tokens"
    recording: str | None = None
    trimmed: bool = True
    test: TestKind = "model"

    @property
    def random_items(self) -> tuple[str, ...]:
        """What else has a smooth."""
        return self.contrast.items if self.items is None else self.items
