"""`reelmood dead`: faces and searches that were given up."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from shared.errors import MessageError, ReelmoodError
from shared.folders import printable
from shared.messages import Face, Place, Query, decode
from shared.queues import clips, dead
from shared.queues.broker import Broker, connect
from shared.queues.dead import Fate, Letter
from shared.queues.work import Stage
from shared.settings import load_settings

app = typer.Typer(help="Faces and searches that were given up.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="as JSON, for scripts")]
ClipOption = Annotated[
    str | None, typer.Option("--clip", metavar="CLIP", help="those of one clip, by its id")
]
IdsArgument = Annotated[list[str] | None, typer.Argument(metavar="ID…", help="as `dead list` shows them")]
AllOption = Annotated[bool, typer.Option("--all", help="all of them")]

_COLUMNS: Final = ("id", "stage", "name", "frame", "face", "error")
_FATES: Final = {
    Fate.QUEUED: "put back",
    Fate.REOPENED: "put back; its clip had come to its end, and its files will be written again",
    Fate.ABSENT: "not among the dead letters (any more)",
    Fate.FORGOTTEN: "stays: the run of the clip that it belongs to is no longer on the broker",
    Fate.FAILED: "stays: its clip failed as a whole; analyse the clip again",
    Fate.EXPIRED: "stays: its clip is done and its streams have expired; analyse the clip again",
    Fate.HOMELESS: "stays: it names no stage of this Reelmood",
}


@app.command("list")
def list_letters(
    clip: ClipOption = None,
    limit: Annotated[int, typer.Option(min=1, help="letters to show, the oldest first")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what was given up, and why."""
    broker = connect(load_settings())
    shown = list(islice(dead.letters(broker, clip), limit + 1))
    rows = [_row(broker, letter) for letter in shown[:limit]]
    if as_json:
        typer.echo(msgspec.json.encode(rows).decode())
        return
    columns = (Column("id", no_wrap=True), "stage", "clip", "frame", "face", "reason")
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*("" if row[name] is None else escape(str(row[name])) for name in _COLUMNS))
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
    typer.echo(msgspec.json.format(msgspec.json.encode(_row(broker, letter)), indent=2).decode())


@app.command()
def retry(
    ids: IdsArgument = None,
    clip: ClipOption = None,
    everything: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put them back on their stage, to be read once more. Exit code 1: some could not be put back."""
    broker = connect(load_settings())

    def put_back(letter: Letter) -> tuple[bool, str]:
        fate = dead.retry(broker, letter)
        return fate.is_back, _FATES[fate]

    _each(broker, ids, clip, everything, put_back, as_json)


@app.command()
def drop(
    ids: IdsArgument = None,
    clip: ClipOption = None,
    everything: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete them; their faces stay counted as failed. Exit code 1: some were not there."""
    broker = connect(load_settings())

    def delete(letter: Letter) -> tuple[bool, str]:
        return (True, "dropped") if dead.drop(broker, letter) else (False, _FATES[Fate.ABSENT])

    _each(broker, ids, clip, everything, delete, as_json)


def _each(
    broker: Broker,
    ids: list[str] | None,
    clip: str | None,
    everything: bool,
    act: Callable[[Letter], tuple[bool, str]],
    as_json: bool,
) -> None:
    """Act on the chosen letters, one at a time, and say what became of each."""
    if (bool(ids), clip is not None, everything).count(True) != 1:
        raise ReelmoodError("say which: ids, --clip CLIP, or --all")
    all_well = True
    # The ids first: a letter that is dead again by the time it is listed would be put back for ever.
    for letter_id in ids or [letter.id for letter in dead.letters(broker, clip)]:
        letter = dead.find(broker, letter_id)
        done, what = act(letter) if letter else (False, _FATES[Fate.ABSENT])
        all_well = all_well and done
        row = {"id": printable(letter_id), "done": done, "what": what}
        typer.echo(msgspec.json.encode(row).decode() if as_json else f"{row['id']}: {what}")
    if not all_well:
        raise typer.Exit(1)


def _row(broker: Broker, letter: Letter) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": letter.id,
        "when": _when(letter.id),
        "stage": letter.stage.name.lower() if letter.stage else None,
        "clip": printable(letter.clip),
        "name": _name(broker, letter.clip),
        "error": printable(letter.error),
        "bytes": len(letter.data),
        "frame": None,
        "time_s": None,
        "face": None,
        "track": None,
    }
    place = _place(letter)
    if place:
        row |= {"frame": place.frame, "time_s": place.time_s, "face": place.face, "track": place.track}
    return row


def _when(letter_id: str) -> str | None:
    """Return the time that the id of a stream entry begins with; None for one that was made up."""
    try:
        time_s = int(letter_id.partition("-")[0]) / 1000
        return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return None


def _place(letter: Letter) -> Place | None:
    try:
        if letter.stage is Stage.FACES:
            return decode(Face, letter.data).place
        if letter.stage is Stage.QUERIES:
            return decode(Query, letter.data).place
    except MessageError:
        pass
    return None


def _name(broker: Broker, clip_id: str) -> str:
    try:
        clip = clips.get(broker, clip_id)
    except MessageError:
        clip = None
    return clip.name if clip else printable(clip_id)
