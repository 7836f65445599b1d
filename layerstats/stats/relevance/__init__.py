"""What relevance says of speech: on which phones a decision rests."""

from layerstats.stats.relevance.phone_shares import PhoneShares, phone_shares

__all__ = ["PhoneShares", "phone_shares"]
