"""Tests of whole maps by permutation, in which each window is aligned anew.

=====================  ======================================================================================
``pattern_tests``      what is tested, and what is refused
``permuted_maps``      maps under other assignments of labels, or signs of speakers
``pooled_windows``     windows laid out for that
``studentised_maps``   differences of speakers, and their statistics
``map_statistics``     the largest of a map, mass of clusters, enhancement
``pattern_tables``     tables, maps and claims of tests
``untrained_patterns`` what untrained networks find in the same windows
=====================  ======================================================================================
"""
