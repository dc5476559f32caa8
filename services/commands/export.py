"""`reelmood export`: a finished clip as a file of another format."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

import typer

from shared.errors import ReelmoodError
from shared.folders import printable, write_whole
from shared.settings import load_settings
from shared.storage.mirror import pull
from shared.traces import Run, archived

Format = Literal["csv", "parquet", "json", "vtt", "html", "thumbnails"]

_THUMBNAILS: Final = "thumbnails"


def export(
    clip: Annotated[str, typer.Argument(help="a finished clip: its name, its id, or its results folder")],
    kind: Annotated[
        Format,
        typer.Option("--format", help="json: summary and timeline; html: a report; thumbnails: a folder"),
    ],
    out: Annotated[Path | None, typer.Option(help="file to write [named after the clip, here]")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace what is there")] = False,
) -> None:
    """Write the results of a clip in another format. With REELMOOD_BLUR set, no face is among them."""
    from services.recorder import export as formats
    from services.recorder.thumbnails import write_thumbnails

    settings = load_settings()
    pull(settings, with_results=True)
    folder = find_folder(settings.results, clip)
    results = formats.Results(folder, pictures=not settings.blur)
    if kind == _THUMBNAILS and settings.blur:
        raise ReelmoodError("REELMOOD_BLUR is set: no faces are exported")
    target = _target(folder, kind, out)
    if not force and (target.exists() or target.is_symlink()):
        raise ReelmoodError(printable(f"{target} exists already; --force replaces it"))
    try:
        if kind == _THUMBNAILS:
            write_thumbnails(target, formats.thumbnails(results))
        else:
            write_whole(target, formats.FILES[kind](results))
    except OSError as error:
        raise ReelmoodError(printable(f"{target} cannot be written: {error.strerror}")) from None
    typer.echo(printable(str(target)))


def find_folder(results: Path, wanted: str) -> Path:
    """Return the results folder of the clip that a person means.

    `wanted` is the path of a results folder, or the id, the name (with or without sub-folder and suffix) or
    the folder's name of a run whose results lie in `results`. Raises ReelmoodError when it is none, or
    several.
    """
    from shared.reader import TABLES

    given = Path(wanted)
    if wanted and any((given / table).is_file() for table in TABLES):
        return given.resolve()
    runs = [(run, run.folder) for run in archived(results) if run.folder is not None]
    for is_meant in _MEANINGS:
        meant = [folder for run, folder in runs if is_meant(run, folder, wanted)]
        if len(meant) > 1:
            which = ", ".join(map(str, meant))
            raise ReelmoodError(
                printable(f"{len(meant)} finished clips are called {wanted}, name one by its folder: {which}")
            )
        if meant:
            return meant[0]
    raise ReelmoodError(printable(f"no finished clip is called {wanted}, neither here nor in {results}"))


def _exactly(run: Run, folder: Path, wanted: str) -> bool:
    return wanted in (run.id, run.name, folder.name)


def _without_folder(run: Run, _: Path, wanted: str) -> bool:
    return wanted == PurePosixPath(run.name).name


def _without_suffix(run: Run, _: Path, wanted: str) -> bool:
    return wanted in (PurePosixPath(run.name).stem, str(PurePosixPath(run.name).with_suffix("")))


_MEANINGS: Final[tuple[Callable[[Run, Path, str], bool], ...]] = (_exactly, _without_folder, _without_suffix)


def _target(folder: Path, kind: Format, out: Path | None) -> Path:
    if kind == _THUMBNAILS:
        return out or Path(f"{folder.name}-{kind}")
    name = f"{folder.name}.{kind}"
    return out / name if out and out.is_dir() else out or Path(name)
