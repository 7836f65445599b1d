"""What an analysis claims, in sentences with their numbers, checks and other defensible choices.

====================  ==========================================================================
``findings``          one thing that was found: its numbers, its sentences, its verdict
``claim_tables``      findings as the tables that a page opens with
``claim_registry``    the front door, and which file reads which kind of result
``..._claims``        one kind of result each
====================  ==========================================================================
"""

from layerstats.stats.claims.claim_registry import claims_of
from layerstats.stats.claims.claim_tables import Claims
from layerstats.stats.claims.findings import OtherChoice

__all__ = ["Claims", "OtherChoice", "claims_of"]
