import numpy as np
import pytest
import soundfile
from praatio import textgrid

from layerstats.corpora import open_corpus, read_textgrids
from layerstats.errors import ArgumentError, AudioError, CorpusError, DataError

WORDS = [(0.1, 0.3, "Ask"), (0.3, 0.35, "sp"), (0.35, 0.5, "us")]
PHONES = [(0.1, 0.2, "AE1"), (0.2, 0.26, "S"), (0.26, 0.3, "K"), (0.35, 0.4, "ʌ"), (0.4, 0.5, "S"), (0.5, 0.6, "sil")]


@pytest.fixture
def write(tmp_path, noise):
    def make(name="anna/one", duration_s=0.6, words=WORDS, phones=PHONES, tiers=("words", "phones"), audio_s=0.6):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        samples = noise(round(audio_s * 8000))
        soundfile.write(file.with_suffix(".wav"), samples, 8000, subtype="FLOAT")
        grid = textgrid.Textgrid()
        for tier, entries in zip(tiers, (words, phones), strict=True):
            grid.addTier(textgrid.IntervalTier(tier, entries, 0, duration_s))
        grid.save(str(file.with_suffix(".TextGrid")), format="long_textgrid", includeBlankSpaces=True)
        return samples

    return make


def test_words_become_tokens(tmp_path, write):
    samples = write()
    corpus = read_textgrids(tmp_path)
    assert corpus.tokens["token"].tolist() == ["anna_one_00_Ask", "anna_one_01_us"]
    assert corpus.tokens["speaker"].tolist() == ["anna", "anna"]
    assert corpus.tokens["duration_s"].tolist() == pytest.approx([0.2, 0.15])
    np.testing.assert_array_equal(corpus.audio("anna_one_00_Ask"), samples[800:2400].astype(np.float32))
    assert corpus.phones["label"].tolist() == ["ae", "s", "k", "ʌ", "s"]
    assert corpus.phones["source_label"].tolist() == ["AE1", "S", "K", "ʌ", "S"]
    np.testing.assert_allclose(corpus.phones["onset_s"], [0, 0.1, 0.16, 0, 0.05], atol=1e-12)
    np.testing.assert_allclose(corpus.phones["offset_s"], [0.1, 0.16, 0.2, 0.05, 0.15], atol=1e-12)
    assert corpus.phones["position"].tolist() == ["initial", "medial", "final", "initial", "final"]


def test_whole_recordings(tmp_path, write):
    write()
    corpus = read_textgrids(tmp_path, word_tier=None)
    assert corpus.tokens[["token", "word", "duration_s"]].values.tolist() == [["anna_one", "one", 0.6]]
    assert corpus.phones["label"].tolist()[-1] == "sil"
    assert read_textgrids(tmp_path, word_tier=None, phone_tier=None).phones.empty


def test_recordings_with_all_that_is_said_in_them(tmp_path, write):
    samples = write(words=[*WORDS, (0.5, 0.6, "<noise>")])
    corpus = open_corpus(f"textgrids:{tmp_path}?unit=recording")
    assert corpus.tokens[["token", "word", "speaker", "duration_s"]].values.tolist() == [
        ["anna_one", "Ask us", "anna", 0.6]
    ]
    np.testing.assert_array_equal(corpus.audio("anna_one"), samples.astype(np.float32))
    assert corpus.phones["label"].tolist() == ["ae", "s", "k", "ʌ", "s", "sil"]
    np.testing.assert_allclose(corpus.phones["onset_s"], [0.1, 0.2, 0.26, 0.35, 0.4, 0.5], atol=1e-12)
    assert not any("slice" in note for note in corpus.notes)
    with pytest.raises(ArgumentError, match="'unit' parameter"):
        read_textgrids(tmp_path, unit="sentence")


def test_tiers_of_other_names(tmp_path, write):
    write(tiers=("ORT-MAU", "MAU"))
    with pytest.raises(CorpusError, match="no tier 'words'; its tiers are 'ORT-MAU', 'MAU'"):
        read_textgrids(tmp_path, word_tier="words")
    for corpus in (read_textgrids(tmp_path, word_tier="ort-mau", phone_tier=" MAU "), read_textgrids(tmp_path)):
        assert len(corpus.phones) == 5
        assert "Words were read from the tiers named 'ORT-MAU'." in corpus.notes


def test_speaker_from_the_name(tmp_path, write):
    write("all/f01_one")
    write("all/f02-two")
    assert read_textgrids(tmp_path, speaker="prefix").speakers == ("f01", "f02")
    with pytest.raises(ArgumentError, match="speaker"):
        read_textgrids(tmp_path, speaker="name")


@pytest.mark.parametrize("duration_s", [0.65, 0.7])
def test_textgrid_of_another_length(tmp_path, write, duration_s):
    write(duration_s=duration_s)
    with pytest.raises(CorpusError, match=rf"one\.TextGrid ends at {duration_s:.3f} s, but its recording lasts 0\.600"):
        read_textgrids(tmp_path)
    assert len(read_textgrids(tmp_path, tolerance_s=0.2)) == 2


def test_textgrid_shorter_than_its_audio(tmp_path, write):
    write(audio_s=0.7)
    with pytest.raises(CorpusError, match=r"ends at 0\.600 s, but its recording lasts 0\.700"):
        read_textgrids(tmp_path)


def test_word_behind_the_end(tmp_path, write):
    write(duration_s=0.9, words=[(0.7, 0.8, "late")], phones=[(0.7, 0.8, "S")])
    with pytest.raises(CorpusError, match=r"'late' at 0\.700 s lies outside"):
        read_textgrids(tmp_path, tolerance_s=1)


def test_word_without_phones(tmp_path, write):
    write(phones=PHONES[:3])
    with pytest.raises(CorpusError, match=r"No phones for the word 'us' at 0\.350 s.*phone_tier=none"):
        read_textgrids(tmp_path)


def test_files_alone(tmp_path, write):
    write()
    (tmp_path / "anna" / "one.TextGrid").rename(tmp_path / "anna" / "two.TextGrid")
    with pytest.raises(CorpusError, match=r"2 files stand alone, for instance .*one\.wav"):
        read_textgrids(tmp_path)


def test_corrupt_textgrid(tmp_path, write):
    write()
    (tmp_path / "anna" / "one.TextGrid").write_text("not a grid")
    with pytest.raises(CorpusError, match=r"Cannot read the TextGrid .*one\.TextGrid"):
        read_textgrids(tmp_path)


def test_tier_of_points(tmp_path, write):
    write()
    grid = textgrid.openTextgrid(str(tmp_path / "anna" / "one.TextGrid"), includeEmptyIntervals=False)
    grid.replaceTier("phones", textgrid.PointTier("phones", [(0.2, "s")], 0, 0.6))
    grid.save(str(tmp_path / "anna" / "one.TextGrid"), format="long_textgrid", includeBlankSpaces=True)
    with pytest.raises(CorpusError, match="tier of points"):
        read_textgrids(tmp_path)


def test_recordings_of_the_same_token(tmp_path, write):
    write("a_b/c")
    write("a/b_c")
    with pytest.raises(CorpusError, match="'a_b_c_00_Ask' occurs twice"):
        read_textgrids(tmp_path)


def test_stereo_by_choice(tmp_path, write, noise):
    write()
    both = noise(9600).reshape(-1, 2).astype(np.float32)
    soundfile.write(tmp_path / "anna" / "one.wav", both, 8000, subtype="FLOAT")
    with pytest.raises(AudioError, match="2 channels"):
        read_textgrids(tmp_path)
    np.testing.assert_array_equal(read_textgrids(tmp_path, channel=1).audio("anna_one_01_us"), both[2800:4000, 1])


def test_nothing_there(tmp_path):
    with pytest.raises(CorpusError, match="No recordings with TextGrids"):
        read_textgrids(tmp_path)


@pytest.mark.parametrize(
    "tiers",
    [
        *[("Words", "Phones"), ("word", "phone"), ("ORT", "MAU"), ("KAN-MAU", "MAU"), ("Wort", "Laute")],
        *[("WORDS ", "Segments"), ("Word", "Phonetic"), ("TokensAlign", "PhonAlign"), ("Wo\u0308rter", "phonèmes")],
    ],
)
def test_usual_names_are_found(tmp_path, write, tiers):
    write(tiers=tiers)
    assert len(read_textgrids(tmp_path).phones) == 5
    folded = [name.upper() for name in tiers]
    assert len(read_textgrids(tmp_path, word_tier=folded[0], phone_tier=folded[1]).phones) == 5


def test_a_tier_that_is_not_known(tmp_path, write):
    write(tiers=("Ebene 1", "Ebene 2"))
    with pytest.raises(CorpusError, match=r"no tier of words that is known .*'Ebene 1', 'Ebene 2'.*word_tier"):
        read_textgrids(tmp_path)
    assert len(read_textgrids(tmp_path, word_tier="ebene 1", phone_tier="Ebene_2").phones) == 5
    with pytest.raises(CorpusError, match=r"no tier of phones .*phone_tier, or that there is none"):
        read_textgrids(tmp_path, word_tier="Ebene 1")
    assert open_corpus(f"textgrids:{tmp_path}?word_tier=Ebene 1&phone_tier=none").phones.empty
    assert len(open_corpus(f"textgrids:{tmp_path}?word_tier=Ebene%201&phone_tier=EBENE 2").phones) == 5


def grid_text(tiers, stop_s=1.0, start_s=0.0):
    """A TextGrid in the short format."""
    lines = ['"ooTextFile"', '"TextGrid"', f"{start_s} {stop_s} <exists> {len(tiers)}"]
    for name, entries in tiers:
        lines.append(f'"IntervalTier" "{name}" {start_s} {stop_s} {len(entries)}')
        lines += [f'{start} {stop} "{text}"' for start, stop, text in entries]
    return "\n".join(lines)


@pytest.fixture
def put(tmp_path, noise):
    """Return a function that writes a TextGrid and, beside it or elsewhere, its recording."""

    def make(name, tiers, audio=None, audio_s=1.0, **times):
        grid = tmp_path / f"{name}.TextGrid"
        grid.parent.mkdir(parents=True, exist_ok=True)
        grid.write_text(grid_text(tiers, **times), encoding="utf-8")
        sound = tmp_path / f"{audio or name}.wav"
        sound.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(sound, noise(round(audio_s * 8000)), 8000, subtype="PCM_16")
        return tmp_path

    return make


SHE = [("words", [(0.1, 0.5, "she"), (0.5, 0.9, "see")])]
SEGMENTS = [(0.1, 0.3, "S"), (0.3, 0.5, "i:"), (0.5, 0.7, "s"), (0.7, 0.9, "i:")]


def test_labels_of_sampa_are_not_those_of_arpabet(put):
    corpus = read_textgrids(put("S1/a", [*SHE, ("phones", SEGMENTS)]))
    assert corpus.phones["label"].tolist() == ["sh", "iy", "s", "iy"]
    assert corpus.phones["source_label"].tolist() == ["S", "i:", "s", "i:"]
    assert any("SAMPA" in note for note in corpus.notes)


def test_the_set_of_labels_is_that_of_the_whole_corpus(put):
    put("S1/a", [("words", [(0.1, 0.5, "so")]), ("phones", [(0.1, 0.3, "S"), (0.3, 0.5, "OW1")])])
    folder = put("S2/a", [("words", [(0.1, 0.5, "is")]), ("phones", [(0.1, 0.3, "IH0"), (0.3, 0.5, "S")])])
    assert read_textgrids(folder).phones["label"].tolist() == ["s", "ow", "ih", "s"]
    assert open_corpus(f"textgrids:{folder}?labels=keep").phones["label"].tolist() == ["S", "OW1", "IH0", "S"]
    assert read_textgrids(folder, labels="sampa").phones["label"].tolist() == ["sh", "OW1", "IH0", "sh"]
    with pytest.raises(ArgumentError, match="'labels'"):
        read_textgrids(folder, labels="kirshenbaum")


def test_labels_that_could_be_of_several_sets_stay(put):
    corpus = read_textgrids(put("S1/a", [("words", [(0.1, 0.5, "s")]), ("phones", [(0.1, 0.3, "S"), (0.3, 0.5, "T")])]))
    assert corpus.phones["label"].tolist() == ["S", "T"]
    assert any("ARPABET or SAMPA" in note for note in corpus.notes)


@pytest.mark.parametrize(("stop_s", "audio_s"), [(0.97, 1.0), (1.0, 0.96), (1.045, 1.0), (1.0, 1.049)])
def test_less_than_fifty_milliseconds_are_no_other_recording(put, stop_s, audio_s):
    corpus = read_textgrids(put("S1/a", [*SHE, ("phones", SEGMENTS)], stop_s=stop_s, audio_s=audio_s))
    assert corpus.tokens["duration_s"].tolist() == pytest.approx([0.4, 0.4])


def test_labels_end_with_the_recording(put):
    words = [("words", [(0.2, 0.8, "ask"), (0.8, 1.03, "wash")])]
    phones = [("phones", [(0.2, 0.8, "AE1"), (0.8, 0.9, "W"), (0.9, 1.01, "SH"), (1.01, 1.03, "T")])]
    corpus = read_textgrids(put("S1/a", [*words, *phones], stop_s=1.03))
    assert corpus.tokens["duration_s"].tolist() == pytest.approx([0.6, 0.2])
    assert corpus.phones["label"].tolist() == ["ae", "w", "sh"]
    assert corpus.phones["offset_s"].iloc[-1] == pytest.approx(0.2)
    assert "1 of 4 phones lie behind the end of their recording and were left out, for instance T." in corpus.notes


def test_a_part_that_was_cut_out_may_keep_its_times(put):
    words = [("words", [(3.2, 3.5, "ask")]), ("phones", [(3.2, 3.3, "AE1"), (3.3, 3.5, "S")])]
    corpus = read_textgrids(put("S1/a", words, start_s=3.0, stop_s=4.0))
    assert corpus.source.segments["S1_a_00_ask"].start == 1600
    assert corpus.phones["onset_s"].tolist() == pytest.approx([0, 0.1])


def test_times_before_the_recording(put):
    words = [("words", [(-0.02, 0.3, "ask")]), ("phones", [(-0.02, 0.1, "AE1"), (0.1, 0.3, "S")])]
    corpus = read_textgrids(put("S1/a", words, start_s=-0.02))
    assert corpus.tokens["duration_s"].tolist() == pytest.approx([0.3])
    assert corpus.phones["onset_s"].tolist() == pytest.approx([0, 0.1])
    early = [("words", [(-0.1, 0.3, "ask")]), ("phones", [(-0.1, 0.3, "AE1")])]
    folder = put("S1/a", early)
    with pytest.raises(CorpusError, match=r"'ask' at -0\.100 s lies outside"):
        read_textgrids(folder)
    # A TextGrid and a recording that begin together, at whatever time.
    assert read_textgrids(put("S1/a", early, start_s=-0.1, audio_s=1.1)).tokens["duration_s"].item() == 0.4


def test_a_phone_on_the_boundary_belongs_to_one_word(put):
    words = [("words", [(0.2, 0.5, "ask"), (0.5, 0.8, "us")])]
    phones = [("phones", [(0.2, 0.4, "AE1"), (0.4, 0.6, "S"), (0.6, 0.8, "Z")])]
    corpus = read_textgrids(put("S1/a", [*words, *phones]))
    assert corpus.phones["label"].tolist() == ["ae", "s", "z"]
    assert corpus.phones["token"].tolist() == ["S1_a_00_ask", "S1_a_00_ask", "S1_a_01_us"]


def test_sounds_in_another_folder(put, tmp_path):
    put("grids/S1/a", [*SHE, ("phones", SEGMENTS)], audio="wav/S1/a")
    put("grids/S2/a", [*SHE, ("phones", SEGMENTS)], audio="wav/S2/a")
    corpus = read_textgrids(tmp_path)
    assert corpus.speakers == ("S1", "S2")
    assert corpus.notes[0].startswith("2 of 2 sounds and TextGrids lie in different folders")
    for name in (f"{tmp_path}/grids?audio={tmp_path}/wav", f"{tmp_path}/grids?audio=../wav"):
        there = open_corpus(f"textgrids:{name}")
        assert there.tokens["token"].tolist()[:2] == ["S1_a_00_she", "S1_a_01_see"]
        assert there.speakers == ("S1", "S2")


def test_sounds_in_one_folder_and_textgrids_by_speaker(put, tmp_path):
    put("grids/S1/a", [*SHE, ("phones", SEGMENTS)], audio="wav/a")
    put("grids/S2/b", [*SHE, ("phones", SEGMENTS)], audio="wav/b")
    assert read_textgrids(tmp_path).speakers == ("S1", "S2")
    (tmp_path / "wav" / "c.m4a").touch()
    put("grids/S2/c", [*SHE, ("phones", SEGMENTS)], audio="wav/d")
    with pytest.raises(CorpusError, match=r"2 files stand alone.*c\.m4a is of a format .*option audio"):
        read_textgrids(tmp_path)


def test_folders_of_kinds_of_files_are_no_speakers(put, tmp_path):
    put("TextGrids/a", [*SHE, ("phones", SEGMENTS)], audio="wav/a")
    put("TextGrids/b", [*SHE, ("phones", SEGMENTS)], audio="wav/B")
    assert read_textgrids(tmp_path).speakers == (tmp_path.name,)


def test_names_in_another_case(put):
    corpus = read_textgrids(put("S1/One", [*SHE, ("phones", SEGMENTS)], audio="S1/ONE"))
    assert corpus.tokens["recording"].tolist() == ["S1_ONE"] * 2
    assert not any("different folders" in note for note in corpus.notes)


def test_names_are_the_same_whichever_system_wrote_them(put, tmp_path):
    folder = put("S1/f\u00fcr", [*SHE, ("phones", SEGMENTS)], audio="S1/fu\u0308r")
    assert read_textgrids(folder).tokens["recording"].tolist() == ["S1_f\u00fcr"] * 2


@pytest.mark.parametrize("between", [" - ", "-", "_", ": "])
def test_speakers_by_tiers(put, between):
    tiers = [(f"Anna{between}words", [(0.1, 0.5, "she")]), (f"Anna{between}phones", SEGMENTS[:2])]
    tiers += [(f"Bob{between}Words", [(0.4, 0.9, "see")]), (f"Bob{between}phones", SEGMENTS[2:])]
    folder = put("both", tiers)
    corpus = read_textgrids(folder)
    assert corpus.tokens[["word", "speaker"]].values.tolist() == [["she", "Anna"], ["see", "Bob"]]
    assert read_textgrids(folder, speaker="folder").speakers == (folder.name,)
    whole = read_textgrids(folder, unit="recording").tokens
    assert whole[["word", "speaker"]].values.tolist() == [["she", "Anna"], ["see", "Bob"]]
    assert whole["token"].is_unique
    assert whole["recording"].nunique() == 1
    with pytest.raises(CorpusError, match="do not tell a speaker"):
        read_textgrids(put("both", [*SHE, ("phones", SEGMENTS)]), speaker="tier")


def test_speakers_by_a_tier_of_their_own(put):
    who = ("Sprecher", [(0, 0.5, "Anna"), (0.5, 0.95, "Bob"), (0.95, 1, "")])
    folder = put("both", [*SHE, ("phones", SEGMENTS), who])
    assert open_corpus(f"textgrids:{folder}?speaker=tier:sprecher").tokens["speaker"].tolist() == ["Anna", "Bob"]
    folder = put("both", [*SHE, ("phones", SEGMENTS), ("Sprecher", [(0, 0.5, "Anna")])])
    with pytest.raises(CorpusError, match=r"'Sprecher' of .* does not say who speaks at 0\.700 s"):
        read_textgrids(folder, speaker="tier:Sprecher")


@pytest.mark.parametrize(
    "table", ["recording,speaker\na.wav,Anna\nS2/b,Zoe\u0301\n", "speaker;recording\nAnna;a\nZo\u00e9;b\n"]
)
def test_speakers_by_a_table(put, table):
    put("S1/a", [*SHE, ("phones", SEGMENTS)])
    folder = put("S2/b", [*SHE, ("phones", SEGMENTS)])
    (folder / "who.csv").write_text(table, encoding="utf-8")
    for name in ("who.csv", folder / "who.csv"):
        assert read_textgrids(folder, speaker=f"table:{name}").speakers == ("Anna", "Zo\u00e9")
    put("S2/c", [*SHE, ("phones", SEGMENTS)])
    with pytest.raises(CorpusError, match=r"no row for the recording c\.wav"):
        read_textgrids(folder, speaker="table:who.csv")
    (folder / "who.csv").write_text("file,name\na,Anna\n")
    with pytest.raises(DataError, match="'recording', 'speaker'"):
        read_textgrids(folder, speaker="table:who.csv")
    with pytest.raises(CorpusError, match=r"no table .*absent\.csv"):
        read_textgrids(folder, speaker="table:absent.csv")


def test_single_words_before_utterances(put):
    folder = put("S1/a", [("sentence", [(0.1, 0.9, "she sees")]), *SHE, ("phones", SEGMENTS)])
    assert read_textgrids(folder).words == ("see", "she")
    utterances = read_textgrids(folder, word_tier="sentence")
    assert utterances.words == ("she sees",)
    assert any("utterances of 2.0 words" in note for note in utterances.notes)


def test_pauses_are_no_words(put):
    pauses = ["<p>", "SIL", "_", "[sil]", "<SIL>", "<p:>", "sp", "#"]
    words = [(0.1 + index / 100, 0.11 + index / 100, text) for index, text in enumerate(pauses)]
    folder = put("S1/a", [("words", [*words, (0.5, 0.9, "see")]), ("phones", SEGMENTS)])
    assert read_textgrids(folder).words == ("see",)
    folder = put("S1/a", [("words", words), ("phones", SEGMENTS)])
    with pytest.raises(CorpusError, match="have no words"):
        read_textgrids(folder)


def test_textgrids_without_words_are_noted(put):
    put("S1/a", [*SHE, ("phones", SEGMENTS)])
    folder = put("S1/b", [("words", []), ("phones", SEGMENTS)])
    assert "1 of 2 TextGrids have no words, for instance b.TextGrid." in read_textgrids(folder).notes


def test_two_tiers_of_one_name(put):
    folder = put("S1/a", [*SHE, *SHE, ("phones", SEGMENTS)])
    with pytest.raises(CorpusError, match="2 tiers named 'words'"):
        read_textgrids(folder)
    folder = put("S1/a", [*SHE, ("phones", SEGMENTS), ("notes", []), ("notes", [])])
    assert len(read_textgrids(folder)) == 2


def test_recordings_that_cannot_be_read(put):
    put("S1/a", [*SHE, ("phones", SEGMENTS)])
    folder = put("S1/b", [*SHE, ("phones", SEGMENTS)])
    (folder / "S1" / "b.wav").write_bytes(b"")
    with pytest.raises(AudioError, match="0 bytes"):
        read_textgrids(folder)
    corpus = read_textgrids(folder, damaged="skip")
    assert set(corpus.tokens["recording"]) == {"S1_a"}
    assert "1 sound files cannot be read" in corpus.notes[-1]


@pytest.mark.parametrize("tolerance_s", [-1, float("nan"), float("inf"), None])
def test_tolerance_is_a_number(tmp_path, write, tolerance_s):
    write()
    with pytest.raises(ArgumentError, match="'tolerance_s' parameter must be a number, zero or above"):
        read_textgrids(tmp_path, tolerance_s=tolerance_s)


@pytest.mark.parametrize(("option", "value"), [("speaker", None), ("split", None), ("split", "")])
def test_options_that_are_no_names(tmp_path, write, option, value):
    write()
    with pytest.raises(ArgumentError, match=f"'{option}' parameter"):
        read_textgrids(tmp_path, **{option: value})


def test_noises_are_no_words(tmp_path, write):
    words = [(0.1, 0.3, "Ask"), (0.3, 0.35, "<nib>"), (0.35, 0.5, "{BR}"), (0.5, 0.6, "<unk>")]
    write(words=words, phones=[(0.1, 0.3, "s"), (0.5, 0.6, "t")])
    corpus = read_textgrids(tmp_path)
    assert corpus.words == ("<unk>", "Ask")
    assert "2 of 4 words are noises and were left out, for instance <nib>." in corpus.notes


def test_one_speaker_in_folders_of_sounds_and_labels(tmp_path, write):
    for folder in ("wav", "grids"):
        (tmp_path / folder / "anna").mkdir(parents=True)
    write("wav/anna/one")
    (tmp_path / "wav/anna/one.TextGrid").rename(tmp_path / "grids/anna/one.TextGrid")
    assert read_textgrids(tmp_path).speakers == ("anna",)
    assert read_textgrids(tmp_path / "grids", audio=tmp_path / "wav").speakers == ("anna",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("recording,speaker\none,anna\none,bob\n", "two speakers for the recording 'one', 'anna' and 'bob'"),
        ("recording,speaker\none,\n", "no speaker for the recording 'one'"),
    ],
)
def test_table_that_does_not_tell_a_speaker(tmp_path, write, text, reason):
    write()
    (tmp_path / "speakers.csv").write_text(text)
    with pytest.raises(CorpusError, match=reason):
        read_textgrids(tmp_path, speaker="table:speakers.csv")


def test_table_as_people_write_it(tmp_path, write):
    write()
    (tmp_path / "speakers.csv").write_text("Recording, Speaker\none.wav, 01\n")
    assert read_textgrids(tmp_path, speaker="table:speakers.csv").speakers == ("01",)
