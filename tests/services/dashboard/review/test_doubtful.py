from pathlib import Path

from services.dashboard.library.shelf import Library
from services.dashboard.review.doubtful import Batch, Reasons, gather
from shared.corrections import picture_of
from tests.services.dashboard.library.made import Seen, blurred_face, library_of


def unsure(margin: float, track: int = 0, agrees: bool | None = True, picture: bytes | None = None) -> Seen:
    return Seen("sad", 0.3 + margin, 0.3, track=track, agrees=agrees, picture=picture)


def places(batch: Batch) -> list[int]:
    return [doubt.place for doubt in batch.doubts]


def test_the_least_sure_come_first_and_the_sure_ones_not_at_all(tmp_path: Path) -> None:
    library = library_of(tmp_path, unsure(0.15, 0), unsure(0.4, 1), unsure(0.05, 2), unsure(0.1, 3))
    assert places(gather(library, Reasons(), (), 9)) == [2, 3, 0]
    assert places(gather(library, Reasons(margin=0.08), (), 9)) == [2]
    assert places(gather(library, Reasons(), (), 2)) == [2, 3]


def test_a_face_whose_neighbours_disagree_is_doubtful_however_sure(tmp_path: Path) -> None:
    library = library_of(tmp_path, unsure(0.3, 0, agrees=False), unsure(0.3, 1, agrees=None), unsure(0.1, 2))
    assert places(gather(library, Reasons(), (), 9)) == [2, 0]
    assert places(gather(library, Reasons(neighbours=False), (), 9)) == [2]


def test_blurred_faces_are_set_aside_and_can_be_had_alone(tmp_path: Path) -> None:
    library = library_of(tmp_path, unsure(0.01, 0, picture=blurred_face()), unsure(0.02, 1), unsure(0.03, 2))
    batch = gather(library, Reasons(), (), 9)
    assert (places(batch), batch.others) == ([1, 2], 1)
    batch = gather(library, Reasons(), (), 9, blurred=True)
    assert (places(batch), batch.others) == ([0], 2)


def test_what_is_decided_or_has_no_picture_is_left_out(tmp_path: Path) -> None:
    library = library_of(tmp_path, unsure(0.01, 0, picture=b""), unsure(0.02, 1), unsure(0.03, 2))
    assert places(gather(library, Reasons(), {picture_of("one", 1, 0)}, 9)) == [2]


def test_a_track_has_three_faces_in_a_batch_and_the_next_ones_follow(tmp_path: Path) -> None:
    library = library_of(tmp_path, *[unsure(0.01 * frame) for frame in range(5)], unsure(0.1, 7))
    batch = gather(library, Reasons(), (), 9)
    assert places(batch) == [0, 1, 2, 5]
    decided = {doubt.key for doubt in batch.doubts}
    assert places(gather(library, Reasons(), decided, 9)) == [3, 4]


def test_an_empty_library_has_none() -> None:
    assert gather(Library(), Reasons(), (), 9).doubts == ()
