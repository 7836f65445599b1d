"""Adapters that fit a request: mgcv through R, our structured engine, and pygam.

====================  ====================================================================
``registry``          the engines in order of preference, and which one fits a request
``mgcv``              the reference, in R worker processes
``structured``        the engine of `layerstats.stats.gamm.structured`
``structured_plan``   what it builds to find out whether it can fit a request, and fits
``pygam``             the fallback without R
``pygam_limits``      what pygam cannot fit
``pygam_basis``       its bases and the choice of smoothing
``pygam_tables``      its tables
``treatment_coding``  columns of parametric terms, as R codes and names them
====================  ====================================================================
"""
