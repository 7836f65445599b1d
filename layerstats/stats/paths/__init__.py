"""Do maximized inputs travel the path through a network that natural ones do?"""

from layerstats.stats.paths.path_comparison import PathComparison, compare_paths

__all__ = ["PathComparison", "compare_paths"]
