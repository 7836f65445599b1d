"""Many fits of one design side by side: many responses, by rows, and many refits, by curves.

===========================  ==========================================================================
``backend``                  numpy or torch: where the linear algebra runs (`choose_backend`)
``rows``                     one model, many responses: every channel of a layer
``curves``                   one model, many assignments of labels: permutation, bootstrap, simulation
``batched_smooth_tests``     tests of smooths in all fits at once, by the tail probabilities in ``tails``
===========================  ==========================================================================
"""

from layerstats.stats.gamm.batched.backend import choose_backend

__all__ = ["choose_backend"]
