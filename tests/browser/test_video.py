import base64
from pathlib import Path

import av
import numpy as np
from playwright.sync_api import Browser

from services.recorder.annotate import annotate_clip
from shared.messages import Box, Place, Reading

PLAY = """async source => {
    const video = document.createElement('video');
    video.muted = true;
    video.src = source;
    document.body.append(video);
    await video.play();
    await new Promise((resolve, reject) => {
        video.ontimeupdate = () => { if (video.currentTime > 0.1) resolve(); };
        video.onerror = () => reject(new Error(video.error.message));
    });
    return [video.videoWidth, video.videoHeight, video.duration, video.webkitAudioDecodedByteCount];
}"""


def test_the_annotated_video_plays_in_the_browser(browser: Browser, tmp_path: Path) -> None:
    source = tmp_path / "clip.mp4"
    write_video(source)
    box = Box(40, 30, 60, 60)
    readings = [
        Reading(
            place=Place(clip="clip", frame=frame, time_s=frame / 25, shot=0, face=0, track=0, box=box),
            model="nano",
            probabilities=[0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1],
            aligned=True,
        )
        for frame in range(50)
    ]
    annotated = annotate_clip(source, tmp_path, readings)
    page = browser.new_page()
    page.set_content("<body></body>")
    width, height, duration, sound = page.evaluate(
        PLAY, "data:video/mp4;base64," + base64.b64encode(annotated.read_bytes()).decode()
    )
    page.close()
    assert (width, height) == (160, 120)
    assert 1.9 < duration < 2.2
    assert sound > 0


def write_video(path: Path, seconds: int = 2) -> None:
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, width=160, height=120, pix_fmt="yuv420p")
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        for number in range(25 * seconds):
            picture = np.full((120, 160, 3), number * 4, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        tone = np.sin(np.arange(48_000 * seconds) * 2 * np.pi * 440 / 48_000).astype(np.float32)
        for start in range(0, len(tone), 1024):
            chunk = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="fltp", layout="mono")
            chunk.sample_rate, chunk.pts = 48_000, start
            container.mux(sound.encode(chunk))
        container.mux(video.encode())
        container.mux(sound.encode())
