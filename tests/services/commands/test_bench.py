"""`reelmood bench`."""

import json
from pathlib import Path

import pytest
import torch

from tests.clips import draw, write_clip
from tests.services.commands.conftest import Reelmood

TINY = ("--size", "nano", "--rank", 4, "--batch-size", 2, "--steps", 1, "--rounds", 1, "--validation", 7)


def test_the_benchmark_of_lora_prints_a_table_or_json(reelmood: Reelmood) -> None:
    answer = reelmood("bench", "lora", *TINY, "--json", "--threads", torch.get_num_threads())
    assert answer.code == 0, answer.err
    measured = json.loads(answer.out)
    ratio = measured["plain"]["step_seconds"] / measured["reelmood"]["step_seconds"]
    assert measured["speedup"] == ratio
    assert measured["settings"]["batch_size"] == 2
    table = reelmood("bench", "lora", *TINY)
    assert table.code == 0, table.err
    assert "times as fast" in table.out
    assert "extrapolated" in table.out


def test_a_data_set_that_is_not_there_is_one_line(reelmood: Reelmood) -> None:
    answer = reelmood("bench", "lora", *TINY, "--data", "nowhere")
    assert (answer.code, answer.err.count("\n")) == (2, 1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = [draw((80 + number, 90, 90), width=320, height=180) for number in range(3)]
    return write_clip(tmp_path_factory.mktemp("clips") / "drawn.mp4", frames)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare each benchmark its second of watching the processor."""
    monkeypatch.setattr("benchmarks.machine.psutil.cpu_percent", lambda interval: 50.0)


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        (("detect", "CLIP", "--frames", 2, "--repeats", 1), 4),
        (("align", "CLIP", "--faces", 2, "--repeats", 1, "--threads", 1), 3),
        (("model", "--size", "nano", "--precision", "fp32", "--batch", 1, "--repeats", 1), 2),
        (("model", "--model", "nano", "--precision", "fp32", "--batch", 2, "--repeats", 1), 2),
        (("broker", "--faces", 20, "--repeats", 1), 3),
        (("retrieval", "--vectors", 200, "--dimension", 8, "--queries", 1), 2),
        (("search", "--faces", 300, "--clip-faces", 100, "--dimension", 8, "--queries", 1), 1),
        (("naive", "CLIP", "--model", "nano", "--repeats", 1), 1),
    ],
)
def test_each_benchmark_says_what_was_measured_on_what(
    reelmood: Reelmood, clip: Path, arguments: tuple[object, ...], rows: int
) -> None:
    given = [clip if argument == "CLIP" else argument for argument in arguments]
    answer = reelmood("bench", *given, "--json")
    assert answer.code == 0, answer.err
    measured = json.loads(answer.out)
    assert len(measured.get("rows") or measured["clips"]) == rows
    assert measured["machine"]["torch"] == torch.__version__
    assert measured["machine"]["date"]
    assert measured["settings"].get("repeats", 1) == 1


def test_a_benchmark_prints_a_table(reelmood: Reelmood, clip: Path) -> None:
    answer = reelmood("bench", "detect", clip, "--frames", 2, "--repeats", 1)
    assert answer.code == 0, answer.err
    assert "2 frames of 320×180" in answer.out
    assert answer.out.splitlines()[-1].split()[:2] == ["full", "search"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pipeline", "gone.mp4"), "there is no file gone.mp4"),
        (("compare", "CLIP", "--fer-python", "gone"), "run `make bench-fer` first"),
        (("fer", "CLIP", "--python", "gone"), "run `make bench-fer` first"),
        (("memory", "gone.mp4"), "there is no file gone.mp4"),
        (("scaling", "gone.mp4"), "there is no file gone.mp4"),
        (("naive", "CLIP", "--model", "gone"), "no model gone"),
    ],
)
def test_what_a_person_can_mend_is_one_line(
    reelmood: Reelmood, clip: Path, arguments: tuple[object, ...], message: str
) -> None:
    given = [clip if argument == "CLIP" else argument for argument in arguments]
    answer = reelmood("bench", *given)
    assert answer.code in (1, 2)
    assert message in answer.err
    assert "Traceback" not in answer.err


def test_without_a_gpu_its_benchmark_says_so(reelmood: Reelmood, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    answer = reelmood("bench", "gpu")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "no GPU" in answer.err


def test_a_size_that_is_none_is_refused(reelmood: Reelmood) -> None:
    answer = reelmood("bench", "model", "--size", "huge")
    assert answer.code == 2
    assert "huge is none of nano, small, base, large" in answer.err
