"""Names of parts, nulls and classes of phones as people read them: one place for sentences, headings and labels."""

from __future__ import annotations

import re

# Those that are written otherwise than with spaces for their underscores.
WRITTEN = {
    "abx": "ABX",
    "ciwgan": "ciwGAN",
    "cka": "CKA",
    "fiwgan": "fiwGAN",
    "max_t": "max-T",
    "q_network": "Q-network",
    "shuffled": "shuffled labels",
}
# Letters joined by underscores, outside of paths and files; names with numbers are what somebody called a network.
_IDENTIFIER = re.compile(r"(?<![\w./\\-])[a-z]+(?:_[a-z]+)+(?![\w/\\-]|\.\w)")


def readable_name(name: object) -> str:
    """Return a name, or a sentence, with its identifiers as words.

    Parameters
    ----------
    name
        As tables and stores have it. Names with numbers, such as ``commands_0``, and names of files stay as they are.

    Examples
    --------
    >>> readable_name("q_network"), readable_name("voiced_fricative"), readable_name("random_direction")
    ('Q-network', 'voiced fricative', 'random direction')
    >>> readable_name("input aligned by phone_onset, commands_0"), readable_name("see my_words.csv")
    ('input aligned by phone onset, commands_0', 'see my_words.csv')
    """
    text = str(name)
    return WRITTEN.get(text) or _IDENTIFIER.sub(lambda found: WRITTEN.get(found[0], found[0].replace("_", " ")), text)


def readable_term(term: str) -> str:
    """Return a term with the variables that layerstats makes as words; those of somebody's own table stay.

    Examples
    --------
    >>> readable_term("phone_setsh"), readable_term("s(sample):word_ordereddark"), readable_term("s(time,phone_token)")
    ('phone set sh', 's(sample):word dark', 's(time,phone token)')
    """
    level_apart = re.sub(r"_ordered(?=\w)|(?<=\bphone_set)(?=[a-zA-Z])", " ", term)
    return re.sub(r"\bphone_(?=(?:set|token)\b)", "phone ", level_apart)
