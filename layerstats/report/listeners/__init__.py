"""What comes out of a listening test, as tables and figures of one page.

======================  ====================================================================================
``listener_output``     an `Output` that says on every table and figure where raters are simulated
``answer_settings``     which conditions are compared, and how
``opinions``            ratings: means, distribution, raters, agreement, differences, mixed model
``choices``             preference, ABX, identification
``cleaned``             problems of rows, what rules for cleaning removed, changes of the design
``results``             all of it
======================  ====================================================================================
"""
