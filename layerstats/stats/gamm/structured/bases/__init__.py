"""Spline bases of one covariate with their penalties, built as mgcv builds them.

A basis is a function from values of the covariate to rows of a model matrix, and one penalty matrix. It knows nothing
of models; `smooths` makes terms of bases.
"""

from layerstats.stats.gamm.structured.bases.basis import Basis, Values
from layerstats.stats.gamm.structured.bases.basis_building import BASES, build_basis
from layerstats.stats.gamm.structured.bases.cubic import CubicBasis
from layerstats.stats.gamm.structured.bases.p_spline import PSplineBasis
from layerstats.stats.gamm.structured.bases.thin_plate import MOST_KNOTS, ThinPlateBasis

__all__ = ["BASES", "MOST_KNOTS", "Basis", "CubicBasis", "PSplineBasis", "ThinPlateBasis", "Values", "build_basis"]
