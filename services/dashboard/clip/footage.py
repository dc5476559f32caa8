"""The clips themselves: which file is a clip's, and the server's answer to a player that asks for a part."""

import asyncio
import mimetypes
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, get_args
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from services.dashboard.archive import archived_clips
from shared.errors import ClipError, ReelmoodError
from shared.folders import content_digest, is_candidate
from shared.queues import clips
from shared.queues.broker import LOST, connect
from shared.queues.clips import Clip
from shared.settings import Settings, load_settings
from shared.storage.clips import at_hand
from shared.storage.places import key_of, place
from shared.traces import kept_files

Version = Literal["original", "annotated"]

VERSIONS: Final[tuple[Version, ...]] = get_args(Version)
ANNOTATED: Final = "annotated.mp4"

_HEADERS: Final = {
    # A clip is no page, and none of another origin may use it.
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-cache",
}


def route() -> Route:
    """Return the route that serves clips by id, in parts where a player asks for them (RFC 9110, section 14).

    Files are read as they are sent; none is held in memory.
    """
    return Route("/footage/{clip}/{version}", _answer)


def address(clip_id: str, version: Version) -> str:
    """Return the path under which `route` serves a clip."""
    return f"/footage/{quote(clip_id, safe='')}/{version}"


def versions(settings: Settings, clip: Clip) -> list[Version]:
    """Return what there is to play of a clip: `original`, `annotated`, both or neither."""
    return [version for version in VERSIONS if file_of(settings, clip, version) is not None]


def file_of(settings: Settings, clip: Clip, version: Version) -> Path | None:
    """Return the file of a clip: its own, or its annotated video; None where there is none.

    The clip's own file is looked for where the broker says, in `done/` and `incoming/` under its name, and
    then, by its content, in all folders of clips. Whatever the broker says, it lies in one of them and is no
    link. Where faces must not be recognised, the original is not for playing, and the annotated video only if
    it was made so.
    """
    if version == "annotated":
        is_shown = bool(clip.out) and (clip.blur or not settings.blur)
        return _inside(place(settings, clip.out) / ANNOTATED, settings.results) if is_shown else None
    if clip.blur or settings.blur:
        return None
    return _from_store(settings, clip) if settings.store else _original(settings, clip)


def _answer(request: Request) -> Response:
    version = next((one for one in VERSIONS if one == request.path_params["version"]), None)
    settings = load_settings()
    clip = _known(settings, request.path_params["clip"])
    path = file_of(settings, clip, version) if clip is not None and version is not None else None
    if path is None:
        return Response(status_code=404, headers=_HEADERS)
    kind = mimetypes.guess_type(path.name)[0] or ""
    return _Footage(
        path, media_type=kind if kind.startswith("video/") else "application/octet-stream", headers=_HEADERS
    )


class _Footage(FileResponse):
    """A file; once the server has waited long enough for it to be fetched, the rest is not sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(asyncio.CancelledError):
            await super().__call__(scope, receive, send)


def _known(settings: Settings, clip_id: str) -> Clip | None:
    """Return a clip that the broker knows, or else one whose results are kept."""
    try:
        broker = connect(settings)
        try:
            if (clip := clips.get(broker, clip_id)) is not None:
                return clip
        finally:
            broker.client.close()
    except (ReelmoodError, *LOST):
        pass
    return next((clip for clip in archived_clips(settings.results) if clip.id == clip_id), None)


def _from_store(settings: Settings, clip: Clip) -> Path | None:
    """Return a copy, on this host, of a clip in the store: where the broker says, or in `done/`."""
    path = place(settings, clip.path) if clip.path else settings.done / clip.name
    if key_of(settings, path) is None:
        return None
    try:
        with at_hand(settings, path, clip.content) as file:
            return file
    except (ClipError, OSError):
        return None


def _original(settings: Settings, clip: Clip) -> Path | None:
    roots = settings.incoming, settings.done, settings.failed
    likely = [Path(clip.path)] if clip.path else [settings.done / clip.name, settings.incoming / clip.name]
    size = clip.content.partition("-")[0]
    for path in likely:
        kept = next((found for root in roots if (found := _inside(path, root))), None)
        if kept is not None and (not size or str(kept.stat().st_size) == size):
            return kept
    if not size:
        return None
    alike = (path for path, _ in kept_files(settings) if str(path.stat().st_size) == size)
    return next((path for path in alike if _digest(path, path.stat().st_mtime_ns) == clip.content), None)


def _inside(path: Path, root: Path) -> Path | None:
    """Return a regular file below `root`; None where it is none, or is reached by links or dots."""
    absolute, top = path.absolute(), root.absolute()
    try:
        return absolute if absolute.is_relative_to(top) and is_candidate(absolute, top) else None
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=64)
def _digest(path: Path, changed_ns: int) -> str:  # noqa: ARG001 - part of the cache's key
    return content_digest(path)
