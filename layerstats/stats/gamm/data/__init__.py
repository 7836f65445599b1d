"""A user's table made ready for any engine: complete, rows in order of series, factors coded.

=====================  ==================================================================
``prepare``            all of it: `prepare_data`
``cell_checks``        missing values, and text among numbers
``expression_checks``  expressions that R would stumble over
``factors``            which columns are factors, their levels, ordered copies
``series_rows``        rows in order of series and time; gaps
``basis_size``         bases that are larger than the data can carry; mgcv's own ``k``
=====================  ==================================================================
"""
