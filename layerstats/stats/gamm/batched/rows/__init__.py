"""One model fitted to many responses (the channels of a layer), each with smoothing parameters of its own.

What the channels share (the columns of the model and their cross-products) is built once by the structured engine; a
channel adds only the cross-products with its response. Newton's method then runs for many channels at once.
The numbers are those of ``fit(engine="structured")``, channel by channel.

===========================  ==========================================================================
``channel_design``           what channels share
``channel_responses``        what a channel adds
``channel_solution``         penalised estimates at given smoothing parameters
``channel_criterion``        REML, its gradient and its Hessian
``channel_optima``           its minimum, each channel by its own steps
``channel_edf``              effective degrees of freedom
``channel_autocorrelation``  one AR(1) parameter for all channels
``channel_fits``             all of it: tables by channel
===========================  ==========================================================================
"""

from layerstats.stats.gamm.batched.rows.channel_autocorrelation import mean_autocorrelation
from layerstats.stats.gamm.batched.rows.channel_design import ChannelDesign, channel_design
from layerstats.stats.gamm.batched.rows.channel_fits import JOINT, ChannelFits, fit_channels, stack_fits

__all__ = [
    "JOINT",
    "ChannelDesign",
    "ChannelFits",
    "channel_design",
    "fit_channels",
    "mean_autocorrelation",
    "stack_fits",
]
