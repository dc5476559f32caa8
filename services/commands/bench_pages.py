"""`reelmood bench search`, `pages`: what the dashboard costs."""

import logging
from pathlib import Path
from typing import Annotated, Final

import typer

from services.commands.bench_output import JsonOption, SeedOption, tell
from shared.errors import ReelmoodError

logger = logging.getLogger(__name__)

_SHOWN: Final = 24
_PAGES: Final = {
    "clip": ("?clip=clip-1", ".lane"),
    "live": ("live", "[class*=st-key-scene-]"),
    "search": ("search", ".rm-head"),
    "review": ("review", ".rm-head"),
    "training": ("training", ".rm-empty, .rm-head"),
    "system": ("system", ".rm-services, .rm-wide"),
}
"""Each page's address, and what is there once it shows."""


class SearchPage:
    """The dashboard's Search page over a folder of results, without the browser."""

    def __init__(self, results: Path) -> None:
        from services.dashboard.library.shelf import Shelf

        self._shelf = Shelf(results)

    def open(self) -> int:
        """Read the faces of all clips, and return how many there are."""
        return len(self._shelf.library())

    def ask(self, clip: str, track: int, frame: int) -> int:
        """Make the page for a face, pictures included; return how many moments are on it."""
        from services.dashboard.library.portraits import portraits_of
        from services.dashboard.search import cards
        from services.dashboard.search.asked import of_finished
        from services.dashboard.search.hits import Filters, nearest

        library = self._shelf.library()
        asked = of_finished(library, clip, track, frame)
        if asked is None:
            return 0
        hits = nearest(library, asked.query, Filters(), _SHOWN)
        cards.question(asked)
        cards.found(hits, portraits_of([(hit.faces, hit.place) for hit in hits]))
        return len(hits)


def search(
    sizes: Annotated[
        list[int] | None, typer.Option("--faces", min=100, help="repeatable [10,000, 100,000]")
    ] = None,
    clip_faces: Annotated[int, typer.Option(min=50, help="of them in each clip")] = 5_000,
    dimension: Annotated[int, typer.Option(min=2)] = 512,
    queries: Annotated[int, typer.Option(min=1, help="pages that are timed")] = 30,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Search results folders for the moments like a face, on one thread: all that the page takes."""
    from benchmarks.search import Settings, measure

    settings = Settings(
        sizes=tuple(sizes or (10_000, 100_000)),
        clip_faces=clip_faces,
        dimension=dimension,
        queries=queries,
        seed=seed,
    )
    measured = measure(settings, SearchPage, logger.info)
    title = f"a page with {_SHOWN} moments like a face, {dimension} dimensions, {clip_faces:,} faces a clip"
    tell(measured, measured.machine, {title: measured.rows}, as_json=as_json)


def pages(
    clips: Annotated[int, typer.Option(min=1, help="under way on the broker")] = 20,
    faces: Annotated[int, typer.Option(min=10, help="of each clip")] = 10_000,
    repeats: Annotated[int, typer.Option(min=1, help="times that each page is opened")] = 5,
    watch_s: Annotated[float, typer.Option(min=1, help="seconds that it is watched")] = 10.0,
    page: Annotated[list[str] | None, typer.Option(help="one of them; repeatable [all]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Open each page of the dashboard in Chromium: how soon it shows, and what an update costs the server."""
    from benchmarks.pages import Settings, measure

    wanted = page or list(_PAGES)
    unknown = sorted(set(wanted) - set(_PAGES))
    if unknown:
        raise ReelmoodError(f"there is no page {unknown[0]}: {', '.join(_PAGES)}")
    settings = Settings(clips=clips, faces=faces, repeats=repeats, watch_s=watch_s)
    measured = measure(settings, {name: _PAGES[name] for name in wanted}, logger.info)
    tell(measured, measured.machine, {f"{clips} clips of {faces:,} faces": measured.rows}, as_json=as_json)
