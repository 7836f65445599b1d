"""Gaussian GAMMs with a random part for each token, solved by their structure.

Given the common part of the model, tokens are independent, so that the penalised least squares problem is an arrow: a
dense corner and one small block a token. Every formula here uses that, and none ever forms the whole matrix.

===================  ==================================================================================
``bases``            spline bases of one covariate, as mgcv builds them
``smooths``          the terms of a formula: their columns, penalties and constraints
``model``            which terms stand in the dense corner, which in the blocks
``model_building``   from a request to a model
``row_patterns``     which levels share their rows
``system``           the sufficient statistics of data under a model (``system_building`` sums them up)
``solution``         the penalised estimates at given smoothing parameters
``criterion``        REML or ML, with gradient and Hessian
``optimum``          their minimum, by the policy of `layerstats.stats.gamm.smoothing_selection`
``nested``           the same where tokens are nested in groups that have smooths of their own
``edf``              effective degrees of freedom, covariances of the coefficients
``inference``        tests of terms
``results``          tables, and the columns of new data (mgcv's lpmatrix)
===================  ==================================================================================

Words that are not mgcv's:

block
    The coefficients of one level of the grouping factor, and their part of the cross-product (Z'Z plus penalties). A
    model with ``s(time, token, bs="fs")`` has a block for each token. "Inner" terms are those of the blocks.
dense corner
    All other coefficients: parametric ones, smooths, and random terms of other factors. What is left of their part of
    the cross-product after elimination of the blocks is a dense matrix.
group, outer terms
    The levels of a factor in which the blocks are nested (speakers of tokens) and their random terms, where these are
    eliminated group by group and not left in the dense corner. Groups with the same tokens are of one kind.
function, column
    A basis function of a block or of a group; a coefficient of the dense corner.
axis
    A direction along which a penalty is a square. Penalties are diagonal along axes, which are the columns themselves,
    or more than these where a smooth contains another.
pattern, grid
    A pattern is a sequence of rows of the whole model that several levels have in common (tokens of one word on one
    grid of time), whose cross-products are computed once. A grid is the same of the blocks' columns alone.
cluster
    Patterns that touch the same columns of the dense corner.
full cross-product
    The one matrix of all coefficients, written out; only for what no elimination gives.
aliased
    Coefficients that the data cannot tell from others, as in R's ``alias()``.
edf, edf1, edf2
    mgcv's: the trace of F, of 2F - FF, and with the uncertainty of smoothing parameters.
compete
    Penalties on one coefficient, or smooths that can take each other's place, so that there may be several optima.
"""
