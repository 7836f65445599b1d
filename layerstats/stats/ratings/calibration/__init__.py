"""How often tests and intervals of ratings err, where the truth is known.

======================  ========================================================
``rating_worlds``       raters, clips and conditions with known truth
``rating_calibration``  mean ratings and tests of two conditions are counted
``answer_calibration``  so are shares, agreement, machine judges and equivalence
======================  ========================================================
"""
