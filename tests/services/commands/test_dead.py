"""`reelmood dead`: what was given up, and what a person can do about it."""

import json

import pytest

from shared.messages import Box, Face, Frame, Place
from shared.queues import clips, dead, produce, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.work import Outcome, Stage
from tests.services.commands.conftest import Reelmood


@pytest.fixture
def letters(broker: Broker) -> list[str]:
    """The ids of three dead letters: two of clip c1 (one of them no message), one of c2."""
    for clip_id, count in (("c1", 1), ("c2", 1)):
        clips.create(broker, Clip(id=clip_id, name=f"{clip_id}.mp4", path="/a", results="/r", model="m"))
        _produce(broker, clip_id, count)
    broker.client.xadd(broker.keys.faces, {"c": "c1", "m": b"\x07newer"})
    work.take(broker, Stage.FACES, "w", 9, 1)
    entries = work.take(broker, Stage.FACES, "w", 9, 1)
    work.commit(broker, Stage.FACES, [Outcome(entry, failure="no [red]face[/]\x1b") for entry in entries])
    return [raw.decode() for raw, _ in broker.client.xrange(broker.keys.dead)]


def _produce(broker: Broker, clip_id: str, count: int) -> None:
    places = [
        Place(clip=clip_id, frame=7, time_s=0.28, shot=0, face=number, track=3, box=Box(1, 2, 3, 4))
        for number in range(count)
    ]
    assert produce.commit(
        broker,
        clip_id,
        expected=0,
        frames=[Frame(7, 0.28, 0, count)],
        faces=[Face(place=place, crop=b"jpeg", margin=0, explain=False) for place in places],
        state=b"",
        tracks=1,
        shots=1,
        last=False,
    )


def test_they_are_listed_with_their_reason(letters: list[str], reelmood: Reelmood) -> None:
    table = reelmood("dead", "list")
    assert table.code == 0
    assert all(text in table.out for text in (*letters, "c1.mp4", "c2.mp4", "no [red]face[/]"))
    assert "\x1b" not in table.out
    rows = json.loads(reelmood("dead", "list", "--json").out)
    assert [(row["clip"], row["frame"], row["track"]) for row in rows] == [
        ("c1", 7, 3),
        ("c2", 7, 3),
        ("c1", None, None),
    ]
    assert {row["stage"] for row in rows} == {"faces"}
    of_one = json.loads(reelmood("dead", "list", "--clip", "c2", "--json").out)
    assert [row["id"] for row in of_one] == [letters[1]]
    short = reelmood("dead", "list", "--limit", 2)
    assert "there are more: --limit 4" in short.out


def test_status_says_where_to_look(letters: list[str], reelmood: Reelmood) -> None:
    assert "reelmood dead list" in reelmood("status").out


def test_one_is_shown(letters: list[str], reelmood: Reelmood) -> None:
    shown = json.loads(reelmood("dead", "show", letters[0]).out)
    assert (shown["name"], shown["frame"], shown["time_s"], shown["face"]) == ("c1.mp4", 7, 0.28, 0)
    assert shown["bytes"] > 0
    assert shown["when"].startswith("20")
    unknown = reelmood("dead", "show", "1-1")
    assert (unknown.code, unknown.err) == (2, "reelmood: there is no dead letter 1-1\n")


def test_one_is_put_back(letters: list[str], broker: Broker, reelmood: Reelmood) -> None:
    answer = reelmood("dead", "retry", letters[0])
    assert (answer.code, answer.out) == (0, f"{letters[0]}: put back\n")
    assert work.depths(broker)["dead"] == 2
    [entry] = work.take(broker, Stage.FACES, "w", 9, 1)
    assert entry.clip == "c1"
    again = reelmood("dead", "retry", letters[0])
    assert (again.code, again.out) == (1, f"{letters[0]}: not among the dead letters (any more)\n")


def test_those_of_a_clip_are_put_back_and_what_stays_is_told(
    letters: list[str], broker: Broker, reelmood: Reelmood
) -> None:
    clips.update(broker, "c2", state=State.FAILED)
    assert reelmood("dead", "retry", "--clip", "c1").code == 0
    assert work.depths(broker) == {"faces": 2, "queries": 0, "dead": 1}
    left = reelmood("dead", "retry", "--all", "--json")
    assert left.code == 1
    row = json.loads(left.out)
    assert (row["id"], row["done"]) == (letters[1], False)
    assert "failed as a whole" in row["what"]


def test_letters_that_die_again_at_once_are_put_back_once(
    letters: list[str], broker: Broker, reelmood: Reelmood, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = dead.retry

    def retry_in_vain(broker: Broker, letter: dead.Letter) -> dead.Fate:
        fate = real(broker, letter)
        entries = work.take(broker, Stage.FACES, "w", 9, 1)
        work.commit(broker, Stage.FACES, [Outcome(entry, failure="again") for entry in entries])
        return fate

    monkeypatch.setattr(dead, "retry", retry_in_vain)
    answer = reelmood("dead", "retry", "--all")
    assert answer.out.count("put back") == len(letters)
    assert {letter.error for letter in dead.letters(broker)} == {"again"}


def test_they_are_dropped(letters: list[str], broker: Broker, reelmood: Reelmood) -> None:
    assert reelmood("dead", "drop", letters[2]).out == f"{letters[2]}: dropped\n"
    assert reelmood("dead", "drop", letters[2]).code == 1
    assert reelmood("dead", "drop", "--all").code == 0
    assert work.depths(broker) == {"faces": 0, "queries": 0, "dead": 0}
    clip = clips.get(broker, "c1")
    assert clip is not None
    assert clip.failed == 2


@pytest.mark.parametrize("command", ["retry", "drop"])
@pytest.mark.parametrize("arguments", [[], ["1-1", "--all"], ["--clip", "c1", "--all"]])
def test_which_must_be_said(
    letters: list[str], broker: Broker, reelmood: Reelmood, command: str, arguments: list[str]
) -> None:
    answer = reelmood("dead", command, *arguments)
    assert (answer.code, answer.err) == (2, "reelmood: say which: ids, --clip CLIP, or --all\n")
    assert work.depths(broker)["dead"] == 3
