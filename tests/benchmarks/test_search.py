"""Search over made-up results."""

from pathlib import Path

from benchmarks.search import Settings, measure, write_results
from services.commands.bench_pages import SearchPage
from services.dashboard.library.shelf import Library, refresh

TINY = Settings(sizes=(120, 250), clip_faces=100, track_faces=20, dimension=16, queries=3)


def test_the_results_are_those_of_finished_clips(tmp_path: Path) -> None:
    assert write_results(tmp_path, TINY, 250) == ["clip-0000", "clip-0001", "clip-0002"]
    library = refresh(Library(), tmp_path)
    assert sorted(len(faces) for faces in library) == [50, 100, 100]
    assert {int(faces.track.max()) for faces in library} == {2, 4}


def test_a_page_of_moments_is_timed_for_each_number_of_faces() -> None:
    measured = measure(TINY, SearchPage, lambda _: None)
    told = [(row.faces, row.clips, row.hits) for row in measured.rows]
    assert told == [(120, 2, 5), (250, 3, 12)]
    assert all(0 < row.p50_ms <= row.p95_ms and row.open_s > 0 for row in measured.rows)
