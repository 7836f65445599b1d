"""Averages of aligned windows (Krug & Stober 2018, NAvAI), with what can be said of them with certainty.

=====================  ======================================================================================
``aligned_windows``    windows, their labels, and where each is aligned under every label
``stored_windows``     windows of a store
=====================  ======================================================================================
"""

from layerstats.stats.averages.aligned_windows import AlignedWindows
from layerstats.stats.averages.stored_windows import read_windows

__all__ = ["AlignedWindows", "read_windows"]
