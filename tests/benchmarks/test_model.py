"""The model alone, beside the machine's ceiling."""

from pathlib import Path

import pytest
import torch

from benchmarks import ceiling, model
from benchmarks.ceiling import Ceiling, measure_ceiling, precisions_of
from benchmarks.model import Settings, count_operations, measure, share_of_ceiling
from shared.errors import ReelmoodError
from shared.poster import build


def test_operations_are_those_of_the_published_network() -> None:
    """15.71 GFLOP a face, as its authors' counter says of large."""
    with torch.device("meta"):
        large = build("large", 7).eval()
    assert count_operations(large) / 1e9 == pytest.approx(15.71, rel=0.01)


def test_a_share_is_work_by_time_and_the_better_rate() -> None:
    best = Ceiling(precision="bf16", convolution_gflops=500, matmul_gflops=400)
    # 15 GFLOP in 60 ms are 250 GFLOP/s.
    assert share_of_ceiling(15e9, 0.06, best) == pytest.approx(0.5)


def test_a_ceiling_is_the_best_call_of_the_best_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([[3.0, 2.0], [5.0, 4.0], [1.0, 0.5]])
    monkeypatch.setattr(ceiling, "time_in_turn", lambda calls, repeats: {"": next(seconds)})
    best = measure_ceiling(
        "fp32", torch.device("cpu"), 2, batch=1, convolutions=[(8, 10), (8, 20)], matrices=[100]
    )
    # 2 · 9 · 8² · 20² operations in 4 s beat a quarter of them in 2 s.
    assert best.convolution_gflops == pytest.approx(2 * 9 * 64 * 400 / 4 / 1e9)
    assert best.matmul_gflops == pytest.approx(2e6 / 0.5 / 1e9)
    assert best.gflops == best.matmul_gflops


def test_every_combination_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(
        model,
        "measure_ceiling",
        lambda precision, *_: Ceiling(precision=precision, convolution_gflops=100, matmul_gflops=50),
    )
    monkeypatch.setattr("shared.poster.precision.has_fast_bf16", lambda _: True)
    settings = Settings(sizes=("nano",), batches=(1, 3), repeats=1)
    measured = measure(settings, tmp_path, lambda _: None)
    assert [(row.precision, row.batch, row.cam) for row in measured.rows] == [
        (precision, batch, cam) for precision in ("fp32", "bf16") for batch in (1, 3) for cam in (False, True)
    ]
    for row in measured.rows:
        assert row.faces_per_s == pytest.approx(1000 / row.ms_a_face)
        assert row.share == pytest.approx(row.gflop_a_face * row.faces_per_s / 100)


def test_bf16_is_measured_only_where_it_is_fast(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert precisions_of(cpu) == ("fp32", "bf16")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    assert precisions_of(cpu) == ("fp32",)
    with pytest.raises(ReelmoodError, match="does not multiply in bfloat16"):
        measure(Settings(sizes=("nano",), precisions=("bf16",)), tmp_path, lambda _: None)


def test_a_gpu_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ReelmoodError, match="no GPU"):
        measure(Settings(device="cuda"), tmp_path, lambda _: None)
