"""Many fits of one design side by side: many responses, by rows, and many refits, by curves.

===========================  ==========================================================================
``rows``                     one model, many responses: every channel of a layer
``curves``                   one model, many assignments of labels: permutation, bootstrap, simulation
``linear_algebra``           of many matrices at once, where a singular one does not fail the others
``batched_smooth_tests``     tests of smooths in all fits at once, by the tail probabilities in ``tails``
===========================  ==========================================================================

Words that are not mgcv's, beside those of `layerstats.stats.gamm.structured` (block, dense corner, pattern, grid, ...):

channel
    One response. All channels have the same rows, and so the same model matrix, but each its own smoothing parameters.
replicate
    One refit: the model with the labels, values or speakers of one permutation, bootstrap sample or simulation.
label
    The level of the grouping factor that a token has, which permutations exchange.
cell, unit
    A speaker's tokens of one label, and a speaker's cells together; in models without speakers, each label is a unit.
component
    A penalty of a random term, as the covariance that it adds to a token, a cell or a speaker.
piece, member
    All means and deviations that have one covariance, whose inverse is computed once; those of them that also have the
    same fixed effects.
loadings
    The columns of random terms at the times of a token or of a cell: a covariance is L diag(v) L'.
"""
