"""How the benchmarks tell what they measured."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from benchmarks.machine import Machine

JsonOption = Annotated[bool, typer.Option("--json", help="as JSON, for scripts")]
RepeatsOption = Annotated[int, typer.Option(min=1, help="times that everything is measured; medians count")]
_WIDE: Final = 200
"""Columns where no terminal says how many it has."""

SeedOption = Annotated[int, typer.Option(min=0, help="of new weights and made-up data")]


def tell(
    measured: msgspec.Struct,
    machine: "Machine",
    tables: Mapping[str, Sequence[msgspec.Struct]],
    *,
    as_json: bool,
) -> None:
    """Print figures as JSON, or as tables of rows, one for each title."""
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(measured), indent=2).decode())
        return
    console = Console()
    if not console.is_terminal:
        console.width = _WIDE
    console.print(describe(machine), markup=False, soft_wrap=True)
    for title, rows in tables.items():
        console.print(f"\n{title}", markup=False)
        console.print(table_of(rows))


def describe(machine: "Machine") -> str:
    """Return what the figures were measured on, in a line."""
    gpu = f", {machine.gpu}" if machine.gpu else ""
    return (
        f"{machine.processor}, {machine.cores} cores{gpu}, torch {machine.torch}, Reelmood {machine.code}, "
        f"{machine.date}; {machine.busy:.0%} busy before"
    )


def table_of(rows: Sequence[msgspec.Struct]) -> Table:
    """Return rows of one type as a table; a column for each field that holds no sequence."""
    table = Table(box=None, pad_edge=False)
    columns = (
        [name for name, value in _cells(rows[0]).items() if not isinstance(value, tuple)] if rows else []
    )
    for name in columns:
        numeric = any(isinstance(_cells(row)[name], int | float) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left")
    for row in rows:
        cells = _cells(row)
        table.add_row(*(show(cells[name]) for name in columns))
    return table


def show(value: object) -> str:
    """Return a cell: numbers with three significant digits at least, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return escape(str(value))


def _cells(row: msgspec.Struct) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__}
