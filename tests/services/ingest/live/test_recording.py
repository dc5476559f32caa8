from pathlib import Path

import pytest

from services.ingest.live import recording as module
from services.ingest.live.recording import Recording
from shared.video import DecodedFrame, open_clip
from tests.clips import draw, walk

TIMES = [0.0, 0.04, 0.08, 1.5, 1.54, 1.6]


def frames() -> list[DecodedFrame]:
    return [
        DecodedFrame(index, time, image)
        for index, (time, image) in enumerate(zip(TIMES, walk(len(TIMES)), strict=True))
    ]


def test_a_recording_is_a_clip_with_the_same_frames_and_times(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "in" / ".one.mp4.part")
    for frame in frames():
        recording.add(frame)
    file = recording.finish(tmp_path / "done", "evening.mp4")
    assert file == tmp_path / "done" / "evening.mp4"
    assert not list((tmp_path / "in").iterdir())
    with open_clip(file) as footage:
        shown = list(footage.frames)
        assert footage.warnings == []
    assert [frame.time_s for frame in shown] == pytest.approx(TIMES, abs=0.001)
    assert abs(float(shown[0].image.mean()) - float(frames()[0].image.mean())) < 4
    assert file.read_bytes().index(b"moov") < 100


def test_an_odd_size_and_one_that_changes_are_brought_to_the_first_one(tmp_path: Path) -> None:
    recording = Recording(tmp_path / ".one.mp4.part")
    recording.add(DecodedFrame(0, 0.0, draw(width=161, height=121)))
    recording.add(DecodedFrame(1, 0.04, draw(width=320, height=240)))
    file = recording.finish(tmp_path, "evening.mp4")
    assert file is not None
    with open_clip(file) as footage:
        assert (footage.width, footage.height) == (160, 120)
        assert len(list(footage.frames)) == 2


def test_what_is_under_way_can_be_played_if_the_process_is_killed(tmp_path: Path) -> None:
    part = tmp_path / ".one.mp4.part"
    recording = Recording(part)
    for index in range(120):
        recording.add(DecodedFrame(index, index / 25, draw((40 + index % 60, 60, 56))))
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(part.read_bytes())
    recording.discard()
    assert not part.exists()
    with open_clip(copy) as footage:
        assert len(list(footage.frames)) >= 50


def test_a_recording_that_cannot_be_copied_is_kept_in_fragments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_is_copied", lambda *_: False)
    recording = Recording(tmp_path / ".one.mp4.part")
    for frame in frames():
        recording.add(frame)
    file = recording.finish(tmp_path / "done", "evening.mp4")
    assert file is not None
    with open_clip(file) as footage:
        assert len(list(footage.frames)) == len(TIMES)
    assert not list(tmp_path.glob(".*"))


def test_one_that_cannot_be_moved_stays_where_it_is(tmp_path: Path) -> None:
    part = tmp_path / ".one.mp4.part"
    recording = Recording(part)
    for frame in frames():
        recording.add(frame)
    (tmp_path / "done").write_text("in the way")
    assert recording.finish(tmp_path / "done", "evening.mp4") is None
    assert recording.failure.startswith("the recording cannot be written")
    with open_clip(part) as footage:
        assert len(list(footage.frames)) == len(TIMES)
    assert recording.finish(tmp_path, "evening.mp4") is None


def test_nothing_recorded_leaves_nothing(tmp_path: Path) -> None:
    recording = Recording(tmp_path / ".one.mp4.part")
    assert recording.finish(tmp_path, "evening.mp4") is None
    assert not list(tmp_path.iterdir())
    recording.add(frames()[0])
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_a_reason_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    recording = Recording(tmp_path / "file" / ".one.mp4.part")
    for frame in frames():
        recording.add(frame)
    assert recording.finish(tmp_path, "evening.mp4") is None
    assert recording.failure.startswith("the recording cannot be written")
