"""Averages of aligned windows (Krug & Stober 2018, NAvAI), with what can be said of them with certainty.

=====================  ======================================================================================
``aligned_windows``    windows, their labels, and where each is aligned under every label
=====================  ======================================================================================
"""

from layerstats.stats.averages.aligned_windows import AlignedWindows

__all__ = ["AlignedWindows"]
