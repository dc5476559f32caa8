"""Small files that unfold to far too much: each ends soon, in little memory, with a reason or files."""

import json
import multiprocessing
import resource
import struct
from collections.abc import Callable
from fractions import Fraction
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Final

import av
import pandas as pd
import pytest
from av.video.stream import VideoStream

from services.ingest.job import ingest
from services.ingest.watcher import Memory, go_round
from services.recorder.job import finish
from shared.queues import clips, jobs
from shared.queues.broker import Broker, connect
from shared.queues.clips import Clip, State
from shared.settings import Settings
from tests.clips import draw, write_clip, write_huge_header, write_picture

SIDE: Final = 30_000
_MEMORY_KIB: Final = 1_500_000
"""What the libraries and a frame of 100 megapixels take; one of 30,000 × 30,000 takes 2.7 GB."""
_HANGS_S: Final = 300


def _y4m(path: Path, side: int = SIDE) -> Path:
    path.write_bytes(
        b"YUV4MPEG2 W%d H%d F25:1 Ip A1:1 C420jpeg\n" % (side, side) + 9 * (b"FRAME\n" + bytes(5000))
    )
    return path


def _gif(path: Path) -> Path:
    """Write a GIF of two small frames whose canvas is enormous."""
    write_clip(path, [draw(), draw((80, 60, 60))], codec="gif", pixels="rgb8")
    data = bytearray(path.read_bytes())
    data[6:10] = struct.pack("<HH", SIDE, SIDE)
    path.write_bytes(data)
    return path


def _motion_jpeg(path: Path, suffix: str) -> Path:
    """Write a Motion JPEG whose pictures say that they are enormous, whatever the container says."""
    write_clip(path.with_suffix(suffix), [draw()] * 2, codec="mjpeg", pixels="yuvj420p")
    data = path.with_suffix(suffix).read_bytes()
    size = struct.pack(">HH", 120, 160)
    assert data.count(b"\x08" + size) >= 2
    path.with_suffix(suffix).write_bytes(
        data.replace(b"\x08" + size, b"\x08" + struct.pack(">HH", SIDE, SIDE))
    )
    return path.with_suffix(suffix)


def _jpeg(path: Path) -> Path:
    write_picture(path, draw())
    size = struct.pack(">HH", 120, 160)
    path.write_bytes(path.read_bytes().replace(b"\x08" + size, b"\x08" + struct.pack(">HH", SIDE, SIDE)))
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: _y4m(folder / "a.y4m"), "not a video"),
        (lambda folder: _gif(folder / "a.gif"), "megapixels"),
        (lambda folder: _motion_jpeg(folder / "a", ".avi"), "megapixels"),
        (lambda folder: _motion_jpeg(folder / "a", ".mkv"), "megapixels"),
        (lambda folder: _jpeg(folder / "a.jpg"), "megapixels"),
        (lambda folder: write_huge_header(folder / "a.png", SIDE), "megapixels"),
    ],
    ids=["y4m", "gif", "mjpeg in avi", "mjpeg in mkv", "jpg", "png"],
)
def test_a_header_of_900_megapixels_is_refused_in_little_memory(
    settings: Settings, broker: Broker, make: Callable[[Path], Path], reason: str
) -> None:
    settings.incoming.mkdir(parents=True)
    clip = _analyse(settings, broker, make(settings.incoming))
    assert clip.state is State.FAILED
    assert reason in clip.error


def _long_frame(path: Path) -> Path:
    """Write a single frame that is shown for ten hours."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        frame = av.VideoFrame.from_ndarray(draw((80, 60, 60)), format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = 0, Fraction(1, 1000)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            packet.duration = 36_000_000
            container.mux(packet)
    with av.open(str(path)) as written:
        assert written.duration == 36_000 * av.time_base
    return path


def test_a_frame_of_ten_hours_is_one_row(settings: Settings, broker: Broker) -> None:
    settings.incoming.mkdir(parents=True)
    clip = _analyse(settings, broker, _long_frame(settings.incoming / "a.mp4"))
    assert (clip.state, clip.frames) == (State.DONE, 1)
    assert len(pd.read_parquet(settings.results / "a" / "timeline.parquet")) == 1


def test_two_frames_ten_hours_apart_are_two_rows(settings: Settings, broker: Broker) -> None:
    path = write_clip(settings.incoming / "a.mkv", [draw()] * 2, times_s=[0.0, 36_000.0])
    clip = _analyse(settings, broker, path)
    assert (clip.state, clip.frames) == (State.DONE, 2)
    assert len(pd.read_parquet(settings.results / "a" / "timeline.parquet")) == 2
    with av.open(str(settings.results / "a" / "annotated.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 2


def test_a_clip_of_countless_tiny_frames_is_cut_off(settings: Settings, broker: Broker) -> None:
    path = settings.incoming / "a.y4m"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"YUV4MPEG2 W2 H2 F60:1 Ip A1:1 C420jpeg\n" + 50_000 * (b"FRAME\n" + bytes(6)))
    clip = _analyse(settings.model_copy(update={"max_frames": 2000}), broker, path)
    assert (clip.state, clip.frames) == (State.DONE, 2000)
    summary = json.loads((settings.results / "a" / "summary.json").read_text())
    assert summary["warnings"] == ["it is cut off after 2000 frames (REELMOOD_MAX_FRAMES)"]


def test_ten_thousand_files_at_once_do_not_keep_the_watcher_from_its_other_work(
    settings: Settings, broker: Broker
) -> None:
    settings = settings.model_copy(update={"clips_high_water": 300})
    settings.incoming.mkdir(parents=True)
    for number in range(10_000):
        (settings.incoming / f"{number:05}.mp4").write_bytes(b"%d" % number)
    memory, rounds = Memory(), 0
    broker.client.sadd(broker.keys.completed, "finished")
    while go_round(settings, broker, memory, float(rounds)):
        rounds += 1
        assert jobs.lengths(broker)["finish"] == 1
    assert jobs.lengths(broker)["clips"] == len(memory.taken) == 300
    assert not go_round(settings, broker, memory, 1e6)
    assert jobs.lengths(broker)["clips"] == 300
    assert len(clips.recent(broker)) == 200
    taken = [clip.id for clip in clips.recent(broker, 120)]
    for clip_id in taken:
        clips.update(broker, clip_id, state=State.DONE)
        jobs.withdraw(broker, clip_id)
    while go_round(settings, broker, memory, 2e6):
        pass
    assert jobs.lengths(broker)["clips"] == 300
    assert len(memory.taken) == 300 + len(taken)


def test_a_round_takes_files_for_a_second_and_sees_to_the_rest(
    settings: Settings, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.watcher._TAKING_S", 0.0)
    settings.incoming.mkdir(parents=True)
    for number in range(3):
        (settings.incoming / f"{number}.mp4").write_bytes(b"%d" % number)
    memory = Memory()
    assert [go_round(settings, broker, memory, 1.0) for _ in range(4)] == [True, True, False, False]
    assert jobs.lengths(broker)["clips"] == 3


def _analyse(settings: Settings, broker: Broker, path: Path) -> Clip:
    """Analyse a clip without its faces in a process of its own, which must end soon and stay small."""
    clip = Clip(
        id="c", name=path.name, path=str(path), results=str(settings.results), model="m", annotate=True
    )
    assert clips.create(broker, clip)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    peak: SimpleQueue[int] = context.SimpleQueue()
    blind = settings.model_copy(update={"min_face_fraction": 1.0})
    process = context.Process(target=_ingest_and_finish, args=(blind, peak))
    process.start()
    process.join(_HANGS_S)
    assert process.exitcode == 0
    assert peak.get() < _MEMORY_KIB
    ended = clips.get(broker, "c")
    assert ended is not None
    return ended


def _ingest_and_finish(settings: Settings, peak: "SimpleQueue[int]") -> None:
    broker = connect(settings)
    ingest(settings, broker, "c")
    clip = clips.get(broker, "c")
    assert clip is not None
    if clip.state is State.FINISHING:
        finish(settings, broker, "c")
    peak.put(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
