"""All clips of the development machine in one call of `reelmood analyze`."""

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.integration.reelmood import run

pytestmark = pytest.mark.shared

FRAMES = {
    "4k_upscaled": 30,
    "classroom_four_faces": 45,
    "expressive_640x360": 472,
    "face_then_none_hevc": 169,
    "four_copies_grid": 72,
    "group_5_frames_270x480": 5,
    "many_faces_cuts_640x360": 275,
    "no_face_960x540": 95,
    "odd_319x241_yuv444": 72,
    "one_face_smile_640x360": 72,
    "one_frame": 1,
    "rotate90_flag": 72,
    "sign_language_640x480": 65,
    "three_faces_walking": 41,
    "truncated_after_moov": 229,
    "variable_frame_rate": 31,
    "vp9": 120,
    **dict.fromkeys(("picture_jpg", "picture_png", "picture_webp"), 1),
}
REASONS = {
    "README.md": "not a video",
    "audio_only.mp4": "no video stream",
    "empty.mp4": "empty",
    "text_named.mp4": "not a video",
    "truncated_no_moov.mp4": "moov",
}


@pytest.fixture(scope="module")
def out(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of all clips, and of three pictures made from one of them."""
    clips = tmp_path_factory.mktemp("all") / "clips"
    shutil.copytree(clips_dir, clips)
    frame = cv2.VideoCapture(str(clips / "one_face_smile_640x360.mp4")).read()[1]
    cv2.imwrite(str(clips / "picture_jpg.jpg"), frame)
    alpha = np.full((*frame.shape[:2], 1), 128, np.uint8)
    cv2.imwrite(str(clips / "picture_png.png"), np.concatenate([frame, alpha], axis=2))
    cv2.imwrite(str(clips / "picture_webp.webp"), frame)
    answer = run("analyze", clips, "--out", clips.parent / "out", "--json")
    assert answer.returncode == 1, answer.stderr
    assert "Traceback" not in answer.stderr
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    failed = {Path(row["clip"]).name: row["error"] for row in rows if row["state"] == "failed"}
    assert failed.keys() == REASONS.keys()
    assert all(reason in failed[name] for name, reason in REASONS.items())
    return clips.parent / "out"


def _timeline(out: Path, clip: str) -> pd.DataFrame:
    return pd.read_parquet(out / clip / "timeline.parquet")


def _summary(out: Path, clip: str) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((out / clip / "summary.json").read_text())
    return summary


def test_every_frame_of_every_clip_is_there(out: Path) -> None:
    assert {folder.name: _timeline(out, folder.name).frame.nunique() for folder in out.iterdir()} == FRAMES


def test_a_face_in_nearly_every_frame_of_a_close_up(out: Path) -> None:
    faces = _timeline(out, "expressive_640x360").dropna(subset="emotion")
    assert faces.frame.nunique() >= 440
    assert faces.track.nunique() == 1


def test_no_face_where_there_is_none(out: Path) -> None:
    assert _timeline(out, "no_face_960x540").face.isna().all()
    assert _summary(out, "no_face_960x540")["emotions"] == {}


def test_four_copies_are_four_tracks(out: Path) -> None:
    assert _timeline(out, "four_copies_grid").dropna(subset="face").track.nunique() == 4


def test_the_rotation_flag_is_honoured(out: Path) -> None:
    summary = _summary(out, "rotate90_flag")
    assert (summary["width"], summary["height"]) == (360, 640)


def test_uneven_times_are_kept(out: Path, clips_dir: Path) -> None:
    times = _timeline(out, "variable_frame_rate").drop_duplicates("frame").time_s
    assert times.diff().dropna().round(3).nunique() > 1
    capture = cv2.VideoCapture(str(clips_dir / "variable_frame_rate.mp4"))
    expected = []
    while capture.read()[0]:
        expected.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    assert times.tolist() == pytest.approx(expected, abs=1e-3)


def test_what_is_cut_off_is_analysed_with_a_warning(out: Path) -> None:
    (warning,) = _summary(out, "truncated_after_moov")["warnings"]
    assert "472" in warning
    assert "229" in warning


def test_shots_are_told_apart(out: Path) -> None:
    table = _timeline(out, "many_faces_cuts_640x360")
    assert table.shot.nunique() == 4
    assert (table.dropna(subset="track").groupby("track").shot.nunique() == 1).all()


@pytest.mark.parametrize("picture", ["picture_jpg", "picture_png", "picture_webp"])
def test_a_picture_shows_its_face(out: Path, picture: str) -> None:
    assert _timeline(out, picture).emotion.notna().all()
