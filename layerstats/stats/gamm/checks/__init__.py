"""Whether a fitted model can be believed.

===========================  =================================================================
``residual_checks``          normality, equal variance, outliers, autocorrelation
``autocorrelation``          of residuals, within series
``implied_autocorrelation``  what the model itself leaves in them
``basis_check``              whether ``k`` was large enough, as mgcv's ``k.check()``
``verification``             the largest differences from mgcv's answer to the same question
===========================  =================================================================
"""
