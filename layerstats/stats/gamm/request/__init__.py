"""What an engine is asked to fit, made of a user's table and options.

==============  ============================================================================
``task``        `FitTask`, the arguments of a fit
``builder``     `build_request` and, for responses that come later, `build_model_request`
``saturation``  models that leave nothing to estimate a residual variance from
==============  ============================================================================
"""
