import numpy as np
import pytest

from layerstats.corpora.espeak import SpeechRequest, synthesise
from layerstats.errors import CorpusError


def test_order_does_not_matter():
    """The library keeps echoes and noise between words; none of it reaches the next request."""
    requests = [SpeechRequest(f"en-us+{voice}", 150, 50, 50, "wash") for voice in ("f2", "Annie", "m3", "f4")]
    there, back = synthesise(requests), synthesise(reversed(requests))
    for first, second in zip(there, reversed(back), strict=True):
        np.testing.assert_array_equal(first.samples, second.samples)
        assert first.phones == second.phones


def test_rate_and_pitch_are_heard():
    slow, fast = synthesise(SpeechRequest("en-us+m1", rate, 50, 50, "water") for rate in (110, 220))
    assert len(slow.samples) > 1.2 * len(fast.samples)


def test_a_phone_that_the_accent_drops_has_no_interval():
    (spoken,) = synthesise([SpeechRequest("en-gb-scotland+f2", 175, 50, 50, "year")])
    assert all(stop > start for _, start, stop in spoken.phones)
    assert spoken.phones[0][1] == 0
    assert spoken.phones[-1][2] == len(spoken.samples)


def test_unknown_voice():
    with pytest.raises(CorpusError, match="no voice 'xx-none'"):
        synthesise([SpeechRequest("xx-none", 175, 50, 50, "ask")])
