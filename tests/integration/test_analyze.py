"""`reelmood analyze` from end to end, on drawn clips: all processes, a real broker, the bundled model."""

import json
from pathlib import Path

import av
import pandas as pd
import pytest
import webvtt
from PIL import Image

from shared.emotions import EMOTIONS
from tests.clips import draw, write_picture, write_sound
from tests.integration.reelmood import run

COLUMNS = [
    *(
        "frame",
        "time_s",
        "shot",
        "face",
        "track",
        "box_x",
        "box_y",
        "box_w",
        "box_h",
        "emotion",
        "confidence",
    ),
    *(f"p_{emotion}" for emotion in EMOTIONS),
    *("aligned", "model"),
]


@pytest.fixture(scope="module")
def out(drawn_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of one call on a clip, a picture, and two files that cannot be analysed."""
    folder = tmp_path_factory.mktemp("analyze")
    picture = write_picture(folder / "still.png", draw((160, 90, 100), width=320, height=180))
    sound = write_sound(folder / "sound.m4a")
    text = folder / "text.mp4"
    text.write_text("this is no video")
    answer = run("analyze", drawn_clip, picture, sound, text, "--out", folder / "out", "--annotate")
    assert answer.returncode == 1, answer.stderr
    assert "Traceback" not in answer.stderr
    lines = dict(line.split(": ", 1) for line in answer.stdout.splitlines())
    assert lines[str(text)] == "not a video"
    assert "no video stream" in lines[str(sound)]
    assert lines[str(picture)] == str(folder / "out" / "still")
    return folder / "out"


def test_the_timeline_has_a_row_for_every_face_and_every_empty_frame(out: Path) -> None:
    table = pd.read_parquet(out / "drawn" / "timeline.parquet")
    assert list(table.columns) == COLUMNS
    assert table.frame.nunique() == 60
    assert not table.duplicated(["frame", "face"]).any()
    faces = table[table.emotion.notna()]
    assert faces.groupby("shot").track.nunique().to_dict() == {0: 1, 1: 2}
    assert faces.track.nunique() == 3
    assert table[table.frame >= 55].face.isna().all()
    assert faces[[f"p_{emotion}" for emotion in EMOTIONS]].sum(axis=1).sub(1).abs().max() < 1e-4
    assert (table.time_s.diff().dropna() >= 0).all()
    csv = pd.read_csv(out / "drawn" / "timeline.csv")
    assert (len(csv), list(csv.columns)) == (len(table), COLUMNS)


def test_the_summary_counts_what_the_timeline_holds(out: Path) -> None:
    table = pd.read_parquet(out / "drawn" / "timeline.parquet")
    summary = json.loads((out / "drawn" / "summary.json").read_text())
    assert (summary["frames"], summary["shots"], summary["tracks"]) == (60, 2, 3)
    assert summary["faces"] == table.emotion.notna().sum()
    assert summary["model"] == table.model.dropna().unique()[0]
    assert sum(summary["emotions"].values()) == pytest.approx(1)
    assert sum(summary["dropped"].values()) == 0
    assert summary["warnings"] == []


def test_every_track_is_explained_at_least_twice_a_second(out: Path) -> None:
    table = pd.read_parquet(out / "drawn" / "timeline.parquet")
    moments = pd.read_parquet(out / "drawn" / "moments.parquet")
    for track, rows in table.groupby("track"):
        gaps = moments[moments.track == track].time_s.diff().dropna()
        assert len(gaps) + 1 >= 2 * (rows.time_s.max() - rows.time_s.min())
        assert (gaps <= 0.6).all()
    assert (moments.cam.map(len) == moments.cam_side**2).all()


def test_the_annotated_video_has_every_frame(out: Path) -> None:
    with av.open(str(out / "drawn" / "annotated.mp4")) as video:
        assert video.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in video.decode(video=0)) == 60


def test_captions_and_thumbnails_lie_beside_the_tables(out: Path) -> None:
    table = pd.read_parquet(out / "drawn" / "timeline.parquet")
    cues = webvtt.read(str(out / "drawn" / "emotions.vtt"), strict=True).captions
    assert {cue.voice for cue in cues} == {f"Track {track}" for track in table.track.dropna()}
    kinds = {}
    for path in (out / "drawn" / "thumbnails").iterdir():
        with Image.open(path) as picture:
            kinds[path.name] = picture.format
    assert kinds == {f"track-{track:04}.jpg": "JPEG" for track in table.track.dropna()}


def test_a_picture_is_a_clip_of_one_frame(out: Path) -> None:
    table = pd.read_parquet(out / "still" / "timeline.parquet")
    assert table.frame.tolist() == [0]
    assert table.emotion.notna().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["analyze", "/no/such/clip.mp4"], "there is no file /no/such/clip.mp4"),
        (["analyze", __file__, "--model", "no-such-model"], "no model no-such-model"),
        (["worker"], "no broker is running"),
        (["status"], "no broker is running"),
    ],
)
def test_what_a_person_can_mend_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    answer = run(*arguments, REELMOOD_HOME=str(tmp_path))
    assert answer.returncode == 2
    assert message in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
