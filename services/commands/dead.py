"""`reelmood dead`: faces and searches that were given up."""

from collections.abc import Callable
from itertools import islice
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from shared.errors import ReelmoodError
from shared.folders import printable
from shared.queues import dead, letters
from shared.queues.broker import Broker, connect
from shared.queues.dead import Fate, Letter
from shared.settings import load_settings

app = typer.Typer(help="Faces and searches that were given up.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="as JSON, for scripts")]
ClipOption = Annotated[
    str | None, typer.Option("--clip", metavar="CLIP", help="those of one clip, by its id")
]
IdsArgument = Annotated[list[str] | None, typer.Argument(metavar="ID…", help="as `dead list` shows them")]
AllOption = Annotated[bool, typer.Option("--all", help="all of them")]

_COLUMNS: Final = ("id", "stage", "name", "frame", "face", "error")


@app.command("list")
def list_letters(
    clip: ClipOption = None,
    limit: Annotated[int, typer.Option(min=1, help="letters to show, the oldest first")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what was given up, and why."""
    broker = connect(load_settings())
    shown = list(islice(dead.letters(broker, clip), limit + 1))
    rows = [letters.describe(broker, letter) for letter in shown[:limit]]
    if as_json:
        typer.echo(msgspec.json.encode(rows).decode())
        return
    columns = (Column("id", no_wrap=True), "stage", "clip", "frame", "face", "reason")
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        values = (getattr(row, name) for name in _COLUMNS)
        table.add_row(*("" if value is None else escape(str(value)) for value in values))
    Console().print(table)
    if len(shown) > limit:
        typer.echo(f"there are more: --limit {2 * limit}")


@app.command()
def show(letter_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show one of them, as JSON."""
    broker = connect(load_settings())
    letter = dead.find(broker, letter_id)
    if letter is None:
        raise ReelmoodError(f"there is no dead letter {printable(letter_id)}")
    typer.echo(msgspec.json.format(msgspec.json.encode(letters.describe(broker, letter)), indent=2).decode())


@app.command()
def retry(
    ids: IdsArgument = None,
    clip: ClipOption = None,
    everything: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put them back on their stage, to be read once more. Exit code 1: some could not be put back."""
    _each(connect(load_settings()), ids, clip, everything, letters.put_back, as_json)


@app.command()
def drop(
    ids: IdsArgument = None,
    clip: ClipOption = None,
    everything: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete them; their faces stay counted as failed. Exit code 1: some were not there."""
    _each(connect(load_settings()), ids, clip, everything, letters.delete, as_json)


def _each(
    broker: Broker,
    ids: list[str] | None,
    clip: str | None,
    everything: bool,
    act: Callable[[Broker, Letter], tuple[bool, str]],
    as_json: bool,
) -> None:
    """Act on the chosen letters, one at a time, and say what became of each."""
    if (bool(ids), clip is not None, everything).count(True) != 1:
        raise ReelmoodError("say which: ids, --clip CLIP, or --all")
    all_well = True
    # The ids first: a letter that is dead again by the time it is listed would be put back for ever.
    for letter_id in ids or [letter.id for letter in dead.letters(broker, clip)]:
        letter = dead.find(broker, letter_id)
        done, what = act(broker, letter) if letter else (False, letters.FATES[Fate.ABSENT])
        all_well = all_well and done
        row = {"id": printable(letter_id), "done": done, "what": what}
        typer.echo(msgspec.json.encode(row).decode() if as_json else f"{row['id']}: {what}")
    if not all_well:
        raise typer.Exit(1)
