"""Gaussian GAMMs with a random part for each token, solved by their structure.

Given the common part of the model, tokens are independent, so that the penalised least squares problem is an arrow: a
dense corner and one small block a token. Every formula here uses that, and none ever forms the whole matrix.

==================  ===================================================================================
``bases``           spline bases of one covariate, as mgcv builds them
``smooths``         the terms of a formula: their columns, penalties and constraints
``model``           a request as a model: which terms stand in the dense corner, which in the blocks
``system``          the sufficient statistics of data under a model
``solution``        the penalised estimates at given smoothing parameters
``criterion``       REML or ML, with gradient and Hessian
``optimum``         their minimum, by the policy of `layerstats.stats.gamm.smoothing_selection`
``inference``       covariances, effective degrees of freedom, tests, tables
==================  ===================================================================================
"""
