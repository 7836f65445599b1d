"""The same contrast under the other choices that one could defend, each refitted.

==========================  ======================================================================
``contrast_analysis``       all that is chosen when a contrast is analysed
``defensible_choices``      which other options there are of each, and which do not apply
``prepared_models``         an analysis of one layer as series and a model, and what is read of it
``exchanged_labels``        a test by exchanges of speakers' labels, beside that of the model
``contrast_sensitivity``    the front door: every option of every choice at every layer
==========================  ======================================================================

Claims of other results are told of other choices by `claims_of(result, others=...)`, in the same table.
"""

from layerstats.stats.sensitivity.contrast_analysis import ContrastAnalysis
from layerstats.stats.sensitivity.contrast_sensitivity import sensitivity_of
from layerstats.stats.sensitivity.defensible_choices import CHOICES

__all__ = ["CHOICES", "ContrastAnalysis", "sensitivity_of"]
