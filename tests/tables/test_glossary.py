import dataclasses

import pytest

from layerstats.errors import DataError
from layerstats.tables import glossary
from layerstats.tables.glossary import read_glossary


def test_every_column_is_described():
    assert {"estimate", "p_value", "time_s", "time_ms", "layer"} <= set(glossary().columns)
    for column in glossary().columns.values():
        assert column.kind in ("text", "number", "integer", "boolean"), column
        assert column.description, column
        assert column.label, column
        assert column.style in ("estimate", "p", "score", "integer", "seconds", "place", "general", "text"), column


def test_columns_in_seconds_say_so_in_name_and_units():
    for name, column in glossary().columns.items():
        if name.endswith("_s"):
            assert column.units == "s", name
        if name.endswith("_ms"):
            assert column.units == "ms", name


def test_probabilities_are_bounded():
    for name, column in glossary().columns.items():
        if column.style == "p":
            assert (column.minimum, column.maximum) == (0, 1), name


def test_frames_and_orders_name_known_columns():
    known = glossary()
    for kind, columns in known.frames.items():
        assert set(columns) <= set(known.columns), kind
    for pair in known.ordered:
        assert set(pair) <= set(known.columns)


COLUMN = '[columns.clarity]\nkind = "number"\nunits = ""\ndescription = "How clear"\nlabel = "Clarity"\n'


def test_every_file_of_a_folder_is_read(tmp_path):
    (tmp_path / "listening.toml").write_text(COLUMN)
    (tmp_path / "ratings.toml").write_text(COLUMN.replace("clarity", "rating") + '[frames]\nratings = ["rating"]\n')
    found = read_glossary(tmp_path)
    assert list(found.columns) == ["clarity", "rating"]
    assert dict(found.frames) == {"ratings": ("rating",)}


@pytest.mark.parametrize(
    ("text", "what"), [(COLUMN, "column 'clarity'"), ('[frames]\nx = ["clarity"]\n', "kind of frame")]
)
def test_what_two_files_describe_is_refused_with_both(tmp_path, text, what):
    for name in ("listening.toml", "ratings.toml"):
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=f"{what}.* listening.toml and again in ratings.toml"):
        read_glossary(tmp_path)


def test_the_glossary_cannot_be_changed():
    with pytest.raises(TypeError):
        glossary().columns["term"] = None  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        glossary().columns["term"].label = "x"  # type: ignore[misc]
