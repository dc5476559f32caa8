import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.emotions import EMOTIONS
from shared.errors import DataError
from training.evaluation.measurement import Measurement, measure
from training.evaluation.report import Provenance, Report, write_report

HAPPY = EMOTIONS.index("happy")
PROVENANCE = Provenance(
    model="tiny@01234567",
    parameters=1234,
    data="fer2013 test",
    fingerprint="abc",
    view="crops, each as it is",
    device="cpu",
    command="reelmood evaluate --data fer2013",
    date="2026-01-02T03:04:05+00:00",
    versions={"torch": "2.14.1"},
)


def answers(*predicted: int | None) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return probabilities that name each of `predicted` with certainty, None: no answer."""
    rows = [np.full(7, np.nan) if label is None else np.eye(7)[label] for label in predicted]
    return np.array(rows, np.float32)


def measured(*predicted: int | None) -> Measurement:
    return measure(np.array([0, 0, HAPPY, HAPPY]), answers(*predicted), EMOTIONS)


def test_json_holds_every_figure() -> None:
    body = json.loads(Report(PROVENANCE, {"label": measured(0, HAPPY, HAPPY, HAPPY)}).to_json())
    assert body["model"] == "tiny@01234567"
    assert body["versions"] == {"torch": "2.14.1"}
    label = body["scores"]["label"]
    assert label["accuracy"] == 0.75
    # Wilson's interval of 3 of 4, by hand.
    assert label["accuracy_interval"] == pytest.approx([0.3006, 0.9544], abs=1e-4)
    assert label["recall"]["angry"] == 0.5
    assert label["support"]["happy"] == 2
    assert label["confusion"][0] == [1, 0, 0, 1, 0, 0, 0]
    assert label["ece"] == 0.25
    assert label["reliability"]["count"] == [0] * 14 + [4]


def test_markdown_says_what_was_measured_and_how() -> None:
    text = Report(PROVENANCE, {"label": measured(0, HAPPY, HAPPY, HAPPY)}).to_markdown()
    assert text.startswith("# tiny@01234567 on fer2013 test\n")
    assert "```sh\nreelmood evaluate --data fer2013\n```" in text
    assert "| data | fer2013 test, fingerprint `abc` |" in text
    assert "| label | 4 | 75.00 (30.06–95.44) | 73.33 (" in text
    assert "| angry | 1 | 0 | 0 | 1 | 0 | 0 | 0 | 2 | 50.0 | 100.0 | 66.7 |" in text
    assert "No face" not in text
    assert "![" not in text


def test_pictures_without_an_answer_are_stated_separately() -> None:
    report = Report(PROVENANCE, {"label": measured(0, None, HAPPY, HAPPY)})
    text = report.to_markdown()
    assert "| label | 4 | 75.00 (" in text
    assert (
        "No face was found in 1 of 4 pictures; they count as wrong. Of the 3 others, in percent, 100.00 ("
        in text
    )
    assert "| angry | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 1 | 2 | 50.0 | 100.0 | 66.7 |" in text
    label = json.loads(report.to_json())["scores"]["label"]
    assert (label["missed"]["angry"], label["accuracy_where_found"], label["ece"]) == (1, 1, 0)


def test_a_report_is_a_folder_with_its_pictures(tmp_path: Path) -> None:
    report = Report(PROVENANCE, {"label": measured(0, 0, HAPPY, None), "other": measured(0, 0, 1, 1)})
    write_report(report, tmp_path / "new" / "report")
    folder = tmp_path / "new" / "report"
    text = (folder / "report.md").read_text(encoding="utf-8")
    for name in ("confusion.png", "reliability.png"):
        assert f"]({name})" in text
        picture = cv2.imread(str(folder / name))
        assert picture is not None
        # Not blank: the ink of a matrix or of bars is in both halves, as there are two truths.
        half = picture.shape[1] // 2
        assert min(picture[:, :half].std(), picture[:, half:].std()) > 20
    assert json.loads((folder / "report.json").read_text()) == json.loads(report.to_json())


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file/report cannot be written"):
        write_report(Report(PROVENANCE, {"label": measured(0, 0, 0, 0)}), tmp_path / "file" / "report")
