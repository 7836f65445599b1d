import dataclasses

import pytest

from layerstats.tables import glossary


def test_every_column_is_described():
    for column in glossary().columns.values():
        assert column.kind in ("text", "number", "integer", "boolean"), column
        assert column.description, column
        assert column.label, column
        assert column.style in ("estimate", "p", "score", "integer", "seconds", "text"), column


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


def test_the_glossary_cannot_be_changed():
    with pytest.raises(TypeError):
        glossary().columns["term"] = None  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        glossary().columns["term"].label = "x"  # type: ignore[misc]
