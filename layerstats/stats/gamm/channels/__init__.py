"""The same model fitted to every channel (unit) of a layer, with smoothing parameters of its own for each.

What the channels share (the columns of the model and their cross-products) is built once by the structured engine; a
channel adds only the cross-products with its response. Newton's method then runs for many channels at once, on numpy or
torch. The numbers are those of ``fit(engine="structured")``, channel by channel.

===================  ==================================================================================
``backend``          numpy or torch: where the linear algebra runs
``design``           what channels share
``responses``        what a channel adds
``solution``         penalised estimates at given smoothing parameters
``criterion``        REML, its gradient and its Hessian
``newton``           its minimum, each channel by its own steps
``freedom``          effective degrees of freedom
``smooth_tests``     tests of smooths, by the tail probabilities in ``tails``
``autocorrelation``  one AR(1) parameter for all channels
``fit``              all of it: tables by channel
===================  ==================================================================================
"""

from layerstats.stats.gamm.channels.autocorrelation import mean_autocorrelation
from layerstats.stats.gamm.channels.backend import choose_backend
from layerstats.stats.gamm.channels.design import ChannelDesign, channel_design
from layerstats.stats.gamm.channels.fit import JOINT, ChannelFits, fit_channels, stack_fits

__all__ = [
    "JOINT",
    "ChannelDesign",
    "ChannelFits",
    "channel_design",
    "choose_backend",
    "fit_channels",
    "mean_autocorrelation",
    "stack_fits",
]
