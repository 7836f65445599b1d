"""How often tests and intervals of aligned averages err, where the truth is known.

=======================  ======================================================================================
``average_calibration``  data sets are drawn and counted
``noise_windows``        worlds with known truth: noise that a small network listens to
``shuffled_speech``      worlds with known truth: real speech whose letters are shuffled
=======================  ======================================================================================
"""
