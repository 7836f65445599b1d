"""What listeners chose: which of two they preferred, and whether they heard what was there."""

from layerstats.stats.ratings.choices.identification import IdentificationRates, identification_rates
from layerstats.stats.ratings.choices.preference import PreferenceShares, preference_shares

__all__ = ["IdentificationRates", "PreferenceShares", "identification_rates", "preference_shares"]
