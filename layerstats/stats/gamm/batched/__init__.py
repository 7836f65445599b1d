"""Many fits of one design side by side: many responses, by rows, and many refits, by curves.

===========================  ==========================================================================
``rows``                     one model, many responses: every channel of a layer
``curves``                   one model, many assignments of labels: permutation, bootstrap, simulation
``linear_algebra``           of many matrices at once, where a singular one does not fail the others
``batched_smooth_tests``     tests of smooths in all fits at once, by the tail probabilities in ``tails``
===========================  ==========================================================================
"""
