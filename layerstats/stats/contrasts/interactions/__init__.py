"""Contrasts of contrasts: does a contrast differ between levels of a column, layers, recordings, or after training?

===========================  ==========================================================================
``contrast_of_contrasts``    the question and its result
``sides``                    what is compared: a column, layers, recordings, training
``crossed``, ``cell_model``  both contrasts in one recording: a model with four cells
``paired``                   the same tokens on both sides: a contrast of their differences
``paired_series``            these on one axis of time
``token_scale``              their units, standard deviations of tokens, and how uncertain these are
``projection``               what that adds to the covariance of the double difference
``comparison``               what is read from the fitted models of a layer
``trained_among_untrained``  the trained network's rank among untrained ones
``simulated``                worlds with known truth; ``simulation_study`` counts how often tests err there
===========================  ==========================================================================
"""

from layerstats.stats.contrasts.interactions.contrast_of_contrasts import ContrastOfContrasts, contrast_of_contrasts

__all__ = ["ContrastOfContrasts", "contrast_of_contrasts"]
