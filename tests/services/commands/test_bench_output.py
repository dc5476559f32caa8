"""What benchmarks print."""

import msgspec
import pytest
from rich.console import Console

from benchmarks.machine import Machine
from services.commands.bench_output import describe, show, table_of

MACHINE = Machine(
    processor="A processor",
    cores=2,
    memory_gb=8,
    threads=1,
    busy=0.25,
    gpu=None,
    system="a system",
    python="3.11",
    torch="2.14",
    libraries={"numpy": "2.4"},
    code="0.1.0 (abc)",
    date="2026-01-01T00:00:00+00:00",
)


class Row(msgspec.Struct, frozen=True):
    clip_name: str
    faces: int
    ms_a_face: float | None
    by_run: tuple[float, ...] = ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (12345, "12,345"),
        (1234.5, "1,234"),
        (12.345, "12.3"),
        (0.00123456, "0.00123"),
        ("[bold]x", "\\[bold]x"),
    ],
)
def test_a_cell_is_short_and_plain(value: object, text: str) -> None:
    assert show(value) == text


def test_a_table_has_a_column_for_each_field_but_the_single_runs() -> None:
    table = table_of([Row("[a]", 1, 2.5, (1.0, 2.0)), Row("b", 2000, None)])
    console = Console(width=80)
    with console.capture() as captured:
        console.print(table)
    lines = [line.split() for line in captured.get().splitlines()]
    assert lines == [["clip", "name", "faces", "ms", "a", "face"], ["[a]", "1", "2.5"], ["b", "2,000"]]
    assert table_of([]).columns == []


def test_the_machine_is_one_line() -> None:
    line = describe(MACHINE)
    assert "\n" not in line
    for part in ("A processor", "2 cores", "torch 2.14", "0.1.0 (abc)", "2026-01-01", "25% busy"):
        assert part in line
    with_gpu = msgspec.structs.replace(MACHINE, gpu="a card")
    assert "2 cores, a card" in describe(with_gpu)
