import pytest

from layerstats.tables.readable_names import readable_name


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("voiceless_fricative", "voiceless fricative"),
        ("zero_steps", "zero steps"),
        ("autoencoder zero_steps", "autoencoder zero steps"),
        ("q_network, input: 9 tests", "Q-network, input: 9 tests"),
        ("shuffled", "shuffled labels"),
        ("letters are shuffled", "letters are shuffled"),
        # What somebody called a network or a file is found again under this name only.
        ("commands_0", "commands_0"),
        ("net_a_2", "net_a_2"),
        ("Net_a", "Net_a"),
        ("results/my_words/all_words.csv", "results/my_words/all_words.csv"),
        ("[s] and [sh] differ", "[s] and [sh] differ"),
        (3, "3"),
    ],
)
def test_identifiers_are_read_as_words(name, read):
    assert readable_name(name) == read
