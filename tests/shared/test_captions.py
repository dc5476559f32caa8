"""The WebVTT track, read by two parsers of others: webvtt-py in its strict mode, and FFmpeg's."""

import html
import re
from pathlib import Path

import av
import pandas as pd
import pytest
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from services.recorder.timeline import build_timeline
from shared.captions import build_captions, captions_of, escaped, timestamp
from shared.emotions import EMOTIONS
from shared.figures.episodes import Episode
from shared.folders import printable
from shared.messages import Frame
from shared.people import LONGEST_NAME, People
from tests.services.recorder.makers import HAPPY, SAD, place, reading

TIMINGS = re.compile(r"(\d\d+):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d\d+):([0-5]\d):([0-5]\d)\.(\d{3})")


def episode(track: int, emotion: str, start_s: float, end_s: float) -> Episode:
    return Episode(track, emotion, start_s, end_s, confidence=0.934, peak=0.99, peak_s=start_s)


def times_of(line: str) -> tuple[int, int]:
    """Return start and end of a timings line in milliseconds."""
    match = TIMINGS.fullmatch(line)
    assert match
    h, m, s, t, *end = map(int, match.groups())
    return ((h * 60 + m) * 60 + s) * 1000 + t, ((end[0] * 60 + end[1]) * 60 + end[2]) * 1000 + end[3]


def test_a_cue_names_track_emotion_and_confidence() -> None:
    text = build_captions([episode(3, "happy", 0.0, 1.04), episode(12, "sad", 3661.5, 3662.0)], People())
    first, second = webvtt.from_string(text, strict=True).captions
    assert (first.start, first.end) == ("00:00:00.000", "00:00:01.040")
    assert (first.text, first.voice) == ("Track 3: happy 93%", "Track 3")
    assert "<c.happy>" in first.raw_text
    assert (second.start, second.end, second.text) == ("01:01:01.500", "01:01:02.000", "Track 12: sad 93%")


def test_ffmpeg_reads_the_same_cues(tmp_path: Path) -> None:
    path = tmp_path / "emotions.vtt"
    path.write_text(build_captions([episode(0, "fear", 0.5, 2.25), episode(1, "angry", 1.0, 1.5)], People()))
    with av.open(path) as container:
        cues = [
            (packet.pts, packet.duration, bytes(packet)) for packet in container.demux() if packet.size > 0
        ]
    assert [(start, length) for start, length, _ in cues] == [(500, 1750), (1000, 500)]
    assert b"Track 0: fear 93%" in cues[0][2]


def test_cues_follow_the_frames_of_a_clip() -> None:
    frames = [Frame(0, 0.0, 0, 2), Frame(1, 0.04, 0, 1), Frame(2, 0.12, 0, 1), Frame(3, 0.2, 0, 0)]
    found = [
        reading(place(0, 0, track=0), HAPPY),
        reading(place(0, 1, track=1), SAD),
        reading(place(1, 0, track=0), HAPPY),
        reading(place(2, 0, track=0), SAD),
    ]
    cues = webvtt.from_string(captions_of(build_timeline(frames, found), People()), strict=True).captions
    assert [(cue.start, cue.end, cue.text) for cue in cues] == [
        ("00:00:00.000", "00:00:00.120", "Track 0: happy 60%"),
        ("00:00:00.000", "00:00:00.040", "Track 1: sad 40%"),
        ("00:00:00.120", "00:00:00.200", "Track 0: sad 40%"),
    ]


def test_cues_name_people_join_merged_tracks_and_leave_hidden_ones_out() -> None:
    frames = [Frame(index, index / 25, int(index > 1), 0) for index in range(4)]
    found = [
        *(reading(place(frame, track=0), HAPPY) for frame in (0, 1)),
        *(reading(place(frame, track=3, shot=1), HAPPY) for frame in (2, 3)),
        *(reading(place(frame, 1, track=5), SAD) for frame in (0, 1)),
        reading(place(2, 1, track=7, shot=1), SAD),
    ]
    people = People(names={0: "Mia & <b>Seb</b> -->"}, merged={3: 0}, hidden=frozenset({5}))
    first, second = webvtt.from_string(
        captions_of(build_timeline(frames, found), people), strict=True
    ).captions
    assert (first.start, first.end) == ("00:00:00.000", "00:00:00.160")
    assert html.unescape(first.text) == "Mia & <b>Seb</b> -->: happy 60%"
    assert (second.start, second.text) == ("00:00:00.080", "Track 7: sad 40%")


def test_a_clip_that_starts_before_zero_starts_at_zero_as_its_annotated_video_does() -> None:
    frames = [Frame(0, -0.5, 0, 0), Frame(1, 0.0, 0, 1), Frame(2, 0.5, 0, 0)]
    (cue,) = webvtt.from_string(
        captions_of(build_timeline(frames, [reading(place(1), HAPPY)]), People()), strict=True
    ).captions
    assert (cue.start, cue.end) == ("00:00:00.500", "00:00:01.000")


def test_a_clip_without_faces_has_a_file_without_cues() -> None:
    empty = build_timeline([Frame(0, 0.0, 0, 0)], [])
    assert webvtt.from_string(captions_of(empty, People()), strict=True).captions == []
    assert captions_of(pd.DataFrame(empty.iloc[:0]), People()).startswith("WEBVTT\n")


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(EMOTIONS), st.floats(-1e9, 1e9), st.floats(0, 1e4)),
        max_size=20,
    ),
    st.dictionaries(st.integers(0, 3), st.text(min_size=1, max_size=LONGEST_NAME)),
)
def test_every_file_is_valid(seen: list[tuple[int, str, float, float]], names: dict[int, str]) -> None:
    episodes = [episode(track, emotion, start, start + length) for track, emotion, start, length in seen]
    text = build_captions(episodes, People(names=names))
    timings = [times_of(line) for line in text.split("\n") if "-->" in line]
    assert len(timings) == len(webvtt.from_string(text, strict=True).captions) == len(seen)
    assert all(start < end for start, end in timings)


@given(st.text())
def test_text_stays_one_line_and_opens_no_tag(text: str) -> None:
    line = escaped(text)
    assert len(line.split("\n")) == len(line.split("\r")) == 1
    assert not {"<", ">", "\0"} & set(line)
    assert html.unescape(line) == printable(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [("Tom & Ann", "Tom &amp; Ann"), ("a --> b", "a --&gt; b"), ("<v X>", "&lt;v X&gt;"), ("a\n\nb", "a��b")],
)
def test_escapes_of_the_specification(text: str, line: str) -> None:
    assert escaped(text) == line


def test_a_hundred_hours() -> None:
    assert timestamp(((100 * 60 + 59) * 60 + 58) * 1000 + 7) == "100:59:58.007"
