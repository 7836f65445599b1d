"""The one recorder: what is asked of a network and speech, the first tokens, and shards of the rest."""
