"""What a person says about the faces of a finished clip: names, merged and hidden tracks, notes.

It lies in `people.json` beside the clip's other results; `docs/files.md` describes the file.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from shared.errors import DataError
from shared.folders import write_whole
from shared.messages import Index, Seconds

PEOPLE: Final = "people.json"
LONGEST_NAME: Final = 80
LONGEST_NOTE: Final = 500

Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]


class Note(msgspec.Struct, frozen=True, order=True):
    """A remark at a moment of the clip, in seconds of presentation time."""

    time_s: Seconds
    text: Annotated[str, Meta(min_length=1, max_length=LONGEST_NOTE)]


class People(msgspec.Struct, frozen=True, kw_only=True):
    """The people of a clip. A person is a track and all tracks that were merged into it.

    `names` and `hidden` hold tracks that stand for a person; `merged` maps a track to the one that it belongs
    to, which is merged into no other.
    """

    version: Literal[1] = 1
    names: dict[Index, Name] = {}
    merged: dict[Index, Index] = {}
    hidden: frozenset[Index] = frozenset()
    notes: tuple[Note, ...] = ()


_decoder = msgspec.json.Decoder(People)


def load(folder: Path) -> People:
    """Read the file in a results folder; without one, nothing has been said yet.

    Raises DataError, in one line, when it cannot be read or is of another version.
    """
    path = folder / PEOPLE
    try:
        people = _decoder.decode(path.read_bytes())
    except FileNotFoundError:
        return People()
    except (OSError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error).split("\n", 1)[0]
        raise DataError(f"{path} cannot be read: {reason}") from None
    named = {person: short for person, name in people.names.items() if (short := " ".join(name.split()))}
    return msgspec.structs.replace(people, names=named, merged=_flat(people.merged))


def save(folder: Path, people: People) -> None:
    """Write the file as a whole or not at all. Raises DataError, in one line, when it cannot be written."""
    text = msgspec.json.format(msgspec.json.encode(people), indent=2) + b"\n"
    try:
        write_whole(folder / PEOPLE, text)
    except OSError as error:
        raise DataError(f"{folder / PEOPLE} cannot be written: {error.strerror}") from None


def person_of(people: People, track: int) -> int:
    """Return the track that stands for the person to whom a track belongs."""
    return people.merged.get(track, track)


def name_of(people: People, track: int) -> str:
    """Return what the person to whom a track belongs is called: by name, else `track 3`."""
    person = person_of(people, track)
    return people.names.get(person, f"track {person}")


def title_of(people: People, track: int) -> str:
    """Return what the person to whom a track belongs is called where a line begins: by name, or `Track 3`."""
    person = person_of(people, track)
    return people.names.get(person, f"Track {person}")


def rename(people: People, track: int, name: str) -> People:
    """Call a track's person by a name, shortened to 80 characters; an empty name takes the old one away."""
    person, short = person_of(people, track), " ".join(name.split())[:LONGEST_NAME]
    names = {who: known for who, known in people.names.items() if who != person}
    return msgspec.structs.replace(people, names=names | ({person: short} if short else {}))


def merge(people: People, track: int, into: int) -> People:
    """Make a track's person the same as that of `into`, whose name and visibility hold for both.

    Where only the one that is merged has a name, it is kept.
    """
    one, other = person_of(people, track), person_of(people, into)
    if one == other:
        return people
    moved = {each: other for each, person in people.merged.items() if person == one}
    names = {who: name for who, name in people.names.items() if who != one}
    if one in people.names:
        names.setdefault(other, people.names[one])
    return msgspec.structs.replace(
        people, merged=people.merged | moved | {one: other}, names=names, hidden=people.hidden - {one}
    )


def split(people: People, track: int) -> People:
    """Make every track of a track's person a person of its own again; the name stays with the first."""
    person = person_of(people, track)
    kept = {each: other for each, other in people.merged.items() if other != person}
    return msgspec.structs.replace(people, merged=kept)


def hide(people: People, track: int, hidden: bool) -> People:
    """Take a track's person out of the clip's lanes and figures, or back in."""
    only = frozenset({person_of(people, track)})
    return msgspec.structs.replace(people, hidden=people.hidden | only if hidden else people.hidden - only)


def annotate(people: People, time_s: float, text: str) -> People:
    """Add a note, shortened to 500 characters; an empty one is none. Notes are kept in the order of time."""
    short = text.strip()[:LONGEST_NOTE]
    if not short:
        return people
    return msgspec.structs.replace(people, notes=tuple(sorted({*people.notes, Note(time_s, short)})))


def erase(people: People, note: Note) -> People:
    """Take a note away."""
    return msgspec.structs.replace(people, notes=tuple(each for each in people.notes if each != note))


def _flat(merged: dict[int, int]) -> dict[int, int]:
    """Point every track at the end of its chain, as a file that was edited by hand may have them.

    What leads round in a circle is left out.
    """
    flat = {}
    for track in merged:
        seen, at = {track}, merged[track]
        while at in merged and at not in seen:
            seen.add(at)
            at = merged[at]
        if at not in seen:
            flat[track] = at
    return flat
