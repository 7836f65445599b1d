"""One model of curves of tokens, refitted thousands of times: with other labels, other values, other speakers.

==========================  ==============================================================================
``curve_request``           a model as refits take it
``curve_design``            a model taken apart: bases on one grid of time, who has which label
``curve_design_building``   how it is taken apart
``random_levels``           what the levels of a random term are: tokens, a speaker's tokens of a label, speakers
``token_levels``            which level each token has
``summaries``               data under many assignments of labels, as sums
``equal_covariances``       means and deviations that share one covariance
``reduction``               smaller matrices for all of it
``curve_criterion``         the restricted likelihood of many replicates at once, with derivatives
``curve_optima``            its minimum, replicate by replicate
``refit``                   all of it: coefficients, covariances and degrees of freedom by replicate
``token_rows``              tokens that differ in their times
``row_refits``              these, refitted one by one by the structured engine
``residual_sums``           sums that tests and AR(1) need
``fitted``                  a design with its fit to the data as they are
==========================  ==============================================================================
"""
