from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from services.recorder.timeline import build_timeline, top_emotion
from shared.emotions import EMOTIONS
from shared.messages import Box, Frame, Place, Reading
from shared.timeline import COLUMNS
from tests.services.recorder.makers import HAPPY, SAD, frames, place, reading

numbers = st.integers(min_value=0, max_value=8)
probabilities = st.lists(st.floats(min_value=0, max_value=1), min_size=7, max_size=7)
boxes = st.builds(
    Box, x=st.integers(-50, 4000), y=st.integers(-50, 4000), w=st.integers(1, 900), h=st.integers(1, 900)
)
some_frames = st.lists(st.builds(Frame, numbers, st.floats(-1e6, 1e6), numbers, numbers), max_size=12)
some_readings = st.lists(
    st.builds(
        Reading,
        place=st.builds(
            Place,
            clip=st.just("clip"),
            frame=numbers,
            time_s=st.floats(-1e6, 1e6),
            shot=numbers,
            face=numbers,
            track=numbers,
            box=boxes,
        ),
        model=st.just("nano@00000000"),
        probabilities=st.none() | probabilities,
        aligned=st.booleans(),
    ),
    max_size=20,
)


def test_faces_and_empty_frames_in_order() -> None:
    table = build_timeline(
        frames([0.0, 0.04, 0.09], {0: 2, 2: 1}),
        [reading(place(2, track=3), SAD), reading(place(0, 1, track=1)), reading(place(0, 0))],
    )
    assert list(table["frame"]) == [0, 0, 1, 2]
    assert list(table["face"].fillna(-1)) == [0, 1, -1, 0]
    assert list(table["emotion"].fillna("")) == ["happy", "happy", "", "sad"]
    assert list(table["time_s"]) == [0.0, 0.0, 0.04, 0.09]
    assert list(table["track"].fillna(-1)) == [0, 1, -1, 3]
    assert table.loc[3, "confidence"] == pd.Series([0.4], dtype="float32")[0]
    assert table.loc[2, [*COLUMNS][3:]].isna().all()


def test_a_face_that_was_given_up_keeps_its_box_and_track() -> None:
    table = build_timeline(frames([0.0]), [reading(place(0, track=7), None)])
    row = table.iloc[0]
    assert (row["track"], row["box_w"]) == (7, 40)
    assert pd.isna(row["emotion"])
    assert pd.isna(row["confidence"])
    assert pd.isna(row["p_angry"])


def test_of_two_readings_of_a_face_the_first_counts() -> None:
    table = build_timeline(frames([0.0]), [reading(place(0), HAPPY), reading(place(0), SAD)])
    assert list(table["emotion"]) == ["happy"]


def test_no_frames_make_an_empty_table_with_all_columns() -> None:
    table = build_timeline([], [])
    assert list(table.columns) == list(COLUMNS)
    assert table.empty


def test_parquet_and_csv_tell_face_rows_from_empty_ones(tmp_path: Path) -> None:
    table = build_timeline(frames([0.0, 0.04]), [reading(place(1))])
    table.to_parquet(tmp_path / "t.parquet", index=False)
    table.to_csv(tmp_path / "t.csv", index=False)
    for again in (pd.read_parquet(tmp_path / "t.parquet"), pd.read_csv(tmp_path / "t.csv")):
        assert list(again.columns) == list(COLUMNS)
        assert list(again["emotion"].notna()) == [False, True]
        assert list(again["face"].notna()) == [False, True]
        assert again["frame"].nunique() == 2


@given(some_frames, some_readings)
def test_any_frames_and_readings(some: list[Frame], found: list[Reading]) -> None:
    table = build_timeline(some, found)
    assert {name: str(kind) for name, kind in table.dtypes.items()} == COLUMNS
    assert set(table["frame"]) == {frame.frame for frame in some}
    assert not table.duplicated(["frame", "face"]).any()
    keys = list(zip(table["frame"], table["face"].fillna(-1), strict=True))
    assert keys == sorted(keys)

    faces = table[table["face"].notna()]
    assert set(zip(faces["frame"], faces["face"], strict=True)) == {
        (one.place.frame, one.place.face) for one in found if one.place.frame in set(table["frame"])
    }
    without = table[table["face"].isna()]
    assert without[[*COLUMNS][3:]].isna().all(axis=None)
    assert not set(without["frame"]) & set(faces["frame"])
    read = faces[faces["emotion"].notna()]
    assert (read["confidence"] == read[[f"p_{emotion}" for emotion in EMOTIONS]].max(axis=1)).all()


@given(probabilities)
def test_the_label_is_the_first_of_the_likeliest(values: list[float]) -> None:
    emotion, confidence = top_emotion(values)
    assert confidence == max(values)
    assert EMOTIONS.index(emotion) == values.index(max(values))


def test_a_face_that_was_given_up_and_read_later_has_its_emotion() -> None:
    readings = [reading(place(0), None), reading(place(0), SAD), reading(place(0), HAPPY)]
    table = build_timeline(frames([0.0], {0: 1}), readings)
    assert list(table["emotion"]) == ["sad"]
    assert list(build_timeline(frames([0.0]), readings[::-1])["emotion"]) == ["happy"]
