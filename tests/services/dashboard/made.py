"""A made clip: drawn faces, made readings, sent through the real queues as the services do."""

from math import sin
from pathlib import Path

import cv2
import numpy as np

from services.recorder.files import write_tables
from services.recorder.moments import build_moments
from services.recorder.summary import build_summary
from services.recorder.timeline import build_timeline
from shared.emotions import EMOTIONS
from shared.messages import (
    Box,
    Explanation,
    Face,
    Frame,
    Neighbour,
    Neighbours,
    Place,
    Query,
    Reading,
    decode,
    encode,
)
from shared.queues import clips, produce, work
from shared.queues import results as results_stream
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State

FPS = 25


def made_clip(clip_id: str = "clip-1", name: str = "evening/la_la.mp4", frames: int = 200) -> Clip:
    return Clip(
        id=clip_id,
        name=name,
        path=f"/nowhere/{name}",
        results="/nowhere/results",
        model="nano",
        frames_expected=frames,
    )


def start_clip(broker: Broker, clip: Clip, started_s: float) -> None:
    assert clips.create(broker, clip)
    clips.update(broker, clip.id, state=State.RUNNING, started_s=started_s)


def probabilities_at(frame: int, track: int) -> list[float]:
    scores = np.array([sin(frame / 40 + 2.1 * track + 0.9 * index) for index in range(7)]) * 2.5
    shares = np.exp(scores) / np.exp(scores).sum()
    return [float(share) for share in shares]


def drawn_face(track: int = 0, side: int = 112) -> np.ndarray:
    image = np.full((side, side, 3), (54 + 40 * track, 70, 90), np.uint8)
    cv2.ellipse(image, (side // 2, side // 2), (side // 3, side * 2 // 5), 0, 0, 360, (222, 184, 150), -1)
    for x in (0.37, 0.63):
        cv2.circle(image, (int(side * x), int(side * 0.42)), side // 22, (40, 30, 30), -1)
    cv2.ellipse(image, (side // 2, int(side * 0.66)), (side // 7, side // 12), 0, 10, 170, (150, 50, 50), 3)
    return image


def explanation_of(frame: int, track: int) -> Explanation:
    rows, columns = np.mgrid[0:14, 0:14]
    centre = 7 + 3 * sin(frame / 20)
    cam = 255 * np.exp(-((rows - 8) ** 2 + (columns - centre) ** 2) / 12)
    jpeg = cv2.imencode(".jpg", cv2.cvtColor(drawn_face(track), cv2.COLOR_RGB2BGR))[1].tobytes()
    return Explanation(
        embedding=np.zeros(8, np.float16).tobytes(),
        cam=cam.astype(np.uint8).tobytes(),
        cam_side=14,
        aligned=jpeg,
    )


def place_of(clip: str, frame: int, face: int, shot: int) -> Place:
    """Tracks are 0, 1, … in the first shot, 10, 11, … in the second, and so on."""
    return Place(
        clip=clip,
        frame=frame,
        time_s=frame / FPS,
        shot=shot,
        face=face,
        track=10 * shot + face,
        box=Box(100 + 200 * face, 80, 90, 90),
    )


def reading_of(place: Place, explain: bool) -> Reading:
    return Reading(
        place=place,
        model="nano",
        probabilities=probabilities_at(place.frame, place.face),
        aligned=True,
        explanation=explanation_of(place.frame, place.face) if explain else None,
    )


def neighbours_of(place: Place, emotion: str) -> Neighbours:
    nearest = [
        Neighbour(
            label=emotion if rank < 3 else EMOTIONS[rank],
            source="an earlier evening/rain.mp4",
            frame=40 * rank,
            time_s=1.6 * rank,
            similarity=0.93 - 0.07 * rank,
        )
        for rank in range(5)
    ]
    return Neighbours(place=place, nearest=nearest, agrees=True)


def commit_frames(
    broker: Broker, clip: Clip, numbers: range, faces: int = 1, shot_length: int = 100, last: bool = False
) -> None:
    """Do what ingest does: commit frames and their faces; the last of the faces leaves every third second."""
    seen = [
        Frame(number, number / FPS, number // shot_length, faces if number % 75 < 60 else faces - 1)
        for number in numbers
    ]
    found = [
        Face(
            place=place_of(clip.id, frame.frame, face, frame.shot),
            crop=b"jpeg",
            margin=0.25,
            explain=frame.frame % 12 == 0,
        )
        for frame in seen
        for face in range(frame.faces)
    ]
    assert produce.commit(
        broker,
        clip.id,
        expected=numbers.start,
        frames=seen,
        faces=found,
        state=b"",
        tracks=faces,
        shots=numbers.stop // shot_length + 1,
        last=last,
    )


def answer_all(broker: Broker, gallery: bool = True) -> None:
    """Do what worker and retrieval do, until nothing waits."""
    while batch := _take(broker, work.Stage.FACES):
        work.commit(broker, work.Stage.FACES, [_read(entry) for entry in batch])
    while batch := _take(broker, work.Stage.QUERIES):
        work.commit(broker, work.Stage.QUERIES, [_search(entry, gallery) for entry in batch])


def _take(broker: Broker, stage: work.Stage) -> list[work.Entry]:
    # the first call makes the consumer group and returns nothing
    return work.take(broker, stage, "made", 500, 1) or work.take(broker, stage, "made", 500, 1)


def _read(entry: work.Entry) -> work.Outcome:
    face = decode(Face, entry.data)
    reading = reading_of(face.place, face.explain)
    if reading.explanation is None or reading.probabilities is None:
        return work.Outcome(entry, encode(reading))
    emotion = EMOTIONS[int(np.argmax(reading.probabilities))]
    query = Query(place=face.place, model="nano", emotion=emotion, embedding=reading.explanation.embedding)
    return work.Outcome(entry, encode(reading), encode(query))


def _search(entry: work.Entry, gallery: bool) -> work.Outcome:
    query = decode(Query, entry.data)
    answer = neighbours_of(query.place, query.emotion)
    if not gallery:
        answer = Neighbours(place=query.place, nearest=[], agrees=None)
    return work.Outcome(entry, encode(answer))


def write_results(broker: Broker, clip: Clip, results: Path) -> Path:
    """Do what the recorder does, and return the clip's folder."""
    held = clips.get(broker, clip.id)
    assert held is not None
    frames = results_stream.frames(broker, clip.id, count=100_000)[0]
    readings = results_stream.readings(broker, clip.id, count=100_000)[0]
    answers = results_stream.neighbours(broker, clip.id, count=100_000)[0]
    folder = results / Path(clip.name).stem
    folder.mkdir(parents=True)
    timeline = build_timeline(frames, readings)
    summary = build_summary(held, timeline, warnings=[])
    write_tables(folder, timeline, build_moments(readings, answers), summary)
    return folder
