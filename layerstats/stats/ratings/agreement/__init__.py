"""How far raters agree: Krippendorff's alpha for every level of measurement, and intra-class correlations."""

from layerstats.stats.ratings.agreement.coincidences import krippendorff_alpha
from layerstats.stats.ratings.agreement.intraclass import icc

__all__ = ["icc", "krippendorff_alpha"]
