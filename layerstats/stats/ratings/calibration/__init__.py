"""How often tests and intervals of ratings err, where the truth is known.

======================  ===============================================
``rating_worlds``       raters, clips and conditions with known truth
``rating_calibration``  data sets are drawn, analysed and counted
======================  ===============================================
"""
