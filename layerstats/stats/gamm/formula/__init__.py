"""mgcv's formula language, read here: terms, their expressions, and how R writes them.

=====================  ==============================================================================
``tokens``             a formula's text in pieces
``functions``          the functions that a formula may call
``expression``         ``log(x + 1)``, ``word == "ask"``: parsed, written as R does, evaluated
``expression_parser``  text to expression
``terms``              `Formula`, `ParametricTerm`, `SmoothTerm`
``parser``             text to `Formula`
``r_names``            names for columns that R's formulas cannot hold
``in_r``               what only R can evaluate
=====================  ==============================================================================
"""
