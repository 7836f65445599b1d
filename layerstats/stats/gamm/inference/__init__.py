"""A fitted model and what is inferred from it.

=====================  =====================================================================
``result``             `GammResult`: tables, predictions, residuals, checks
``summary``            the text that it prints as
``new_data``           rows for predictions, coded as the rows of the fit
``intervals``          pointwise and simultaneous intervals of curves
``reference_grid``     rows at which levels are compared
``dependent_columns``  columns that depend on the factors that are compared
``difference``         the curve of one level minus that of another
``curves``             the curve of each level
``derivatives``        slopes of curves
``posterior``          posterior draws
``joint_test``         level and shape in one test
``compare``            two models of the same data
=====================  =====================================================================
"""
