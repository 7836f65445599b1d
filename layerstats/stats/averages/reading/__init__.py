"""Windows and whole tokens of a store: their labels, and where each is aligned under every label.

=====================  ======================================================================================
``aligned_windows``    windows, their labels, and where each is aligned under every label
``stored_windows``     windows of a store
``events``             phones and words of whole tokens
``stored_maps``        maps of a layer on disk
``stored_alignments``  which alignments a store knows, and what they are called
``told_phones``        the phone that the letter of a window stands for: its names, onset and centre
``letter_delay``       how long after a phone its letter is told
=====================  ======================================================================================
"""
