from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import people
from shared.errors import DataError
from shared.people import PEOPLE, Note, People, load, name_of, person_of, save, title_of

tracks = st.integers(0, 8)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("rename"), tracks, st.text(max_size=100)),
        st.tuples(st.just("merge"), tracks, tracks),
        st.tuples(st.just("split"), tracks),
        st.tuples(st.just("hide"), tracks, st.booleans()),
        st.tuples(st.just("annotate"), st.floats(-1e6, 1e6), st.text(max_size=600)),
    ),
    max_size=12,
)


def after(*done: tuple[object, ...]) -> People:
    held = People()
    for action, *arguments in done:
        held = getattr(people, str(action))(held, *arguments)
    return held


def test_nothing_has_been_said_at_first(tmp_path: Path) -> None:
    assert load(tmp_path) == People()
    assert name_of(People(), 3) == "track 3"


@given(steps)
def test_what_is_saved_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, done: list[tuple[object, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("result")
    said = after(*done)
    save(folder, said)
    assert load(folder) == said
    assert [each.name for each in folder.iterdir()] == [PEOPLE]


@given(steps, tracks)
def test_a_person_stands_for_itself(done: list[tuple[object, ...]], track: int) -> None:
    said = after(*done)
    person = person_of(said, track)
    assert person_of(said, person) == person
    assert not set(said.names) & set(said.merged)
    assert not said.hidden & set(said.merged)


def test_a_merged_track_has_the_name_of_its_person() -> None:
    said = after(("rename", 1, "  Mia  "), ("merge", 2, 1), ("merge", 3, 2))
    assert [name_of(said, track) for track in (1, 2, 3)] == ["Mia"] * 3
    assert name_of(people.split(said, 3), 2) == "track 2"


def test_the_only_name_outlives_a_merge() -> None:
    assert name_of(after(("rename", 2, "Seb"), ("merge", 2, 1)), 1) == "Seb"


def test_a_hidden_person_comes_back() -> None:
    said = after(("merge", 2, 1), ("hide", 2, True))
    assert said.hidden == {1}
    assert people.hide(said, 1, False).hidden == frozenset()


def test_notes_are_in_order_and_can_be_erased() -> None:
    said = after(("annotate", 4.0, "later"), ("annotate", 1.0, "first"), ("annotate", 2.0, "  "))
    assert [note.text for note in said.notes] == ["first", "later"]
    assert people.erase(said, Note(1.0, "first")).notes == (Note(4.0, "later"),)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"version": 2}', '{"merged": {"a": 1}}', '{"names": {"1": ""}}', '{"notes": [[]]}'],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / PEOPLE).write_text(text)
    with pytest.raises(DataError, match=PEOPLE) as raised:
        load(tmp_path)
    assert "\n" not in str(raised.value)


def test_merges_written_by_hand_may_chain_but_not_circle(tmp_path: Path) -> None:
    (tmp_path / PEOPLE).write_text('{"merged": {"3": 2, "2": 1, "5": 6, "6": 5}}')
    assert load(tmp_path).merged == {3: 1, 2: 1}


def test_names_written_by_hand_are_brought_into_shape(tmp_path: Path) -> None:
    (tmp_path / PEOPLE).write_text('{"names": {"1": " Mia \\n W. ", "2": "  "}}')
    assert load(tmp_path).names == {1: "Mia W."}
    assert title_of(load(tmp_path), 2) == "Track 2"


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written"):
        save(tmp_path / "gone", People())
