"""Faces by person: tracks that are the same person put together, hidden persons left out."""

import pandas as pd
import pyarrow as pa

from shared.people import People, person_of


def by_person(faces: pd.DataFrame, people: People) -> pd.DataFrame:
    """Return the rows of `episodes.read_faces` of those who are not hidden, by person and frame.

    In the column `track` stands the track that stands for the person.
    """
    person = faces["track"].map({int(each): person_of(people, int(each)) for each in faces["track"].unique()})
    return faces.assign(track=person.astype("int64"))[~person.isin(people.hidden)].sort_values(
        ["track", "frame"], ignore_index=True
    )


def moments_by_person(moments: pa.Table, people: People) -> pa.Table:
    """Return the rows of a table of moments of those who are not hidden, `track` as in `by_person`."""
    field = moments.schema.field("track")
    persons = [person_of(people, track) for track in moments["track"].to_pylist()]
    shown = pa.array([person not in people.hidden for person in persons], pa.bool_())
    at = moments.schema.get_field_index("track")
    return moments.set_column(at, field, pa.array(persons, field.type)).filter(shown)
