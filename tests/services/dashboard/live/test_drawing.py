from services.dashboard.live import drawing
from services.dashboard.live.scene import Scene, with_readings
from services.dashboard.readers import progress_of
from shared.queues.clips import Clip, State
from shared.queues.presence import Service
from tests.services.dashboard.live.test_scene import preview, reading

LIVE = Clip(
    id="c",
    name="<b>door</b>",
    path="",
    results="",
    model="nano",
    live=True,
    state=State.RUNNING,
    frames=10,
    latency_s=0.25,
    dropped={"workers_behind": 3},
)


def test_boxes_carry_track_label_and_confidence() -> None:
    scene = with_readings(Scene(pictures=(preview(0, 0),)), [reading(0)])
    html = drawing.picture(scene)
    assert "aspect-ratio:640/360" in html
    assert ">0 happy 90 %<" in html
    assert "left:1.56%;top:2.78%;width:7.81%;height:13.89%" in html


def test_a_face_that_is_not_read_yet_has_its_track() -> None:
    assert ">4 …<" in drawing.picture(Scene(pictures=(preview(0, 4),)))


def test_before_the_first_picture_it_says_so() -> None:
    assert "the picture comes" in drawing.picture(Scene())


def test_a_camera_shows_latency_and_drops_and_its_name_as_text() -> None:
    html = drawing.headline(LIVE, progress_of(LIVE, 0.0))
    assert "&lt;b&gt;door" in html
    assert "0.25 s behind the camera" in html
    assert "3 dropped (workers behind)" in html
    assert ">live<" in html


def test_devices_are_named_once() -> None:
    two = [
        Service(name=f"w{n}", kind="worker", pid=n, host="h", device="cpu", model="nano@12345678")
        for n in (1, 2)
    ]
    assert drawing.devices([*two, Service(name="r", kind="retrieval", pid=3, host="h")]) == [
        "cpu · nano@12345678"
    ]


def test_names_that_wait_are_escaped_and_few() -> None:
    html = drawing.waiting([LIVE] * 10)
    assert "<b>" not in html
    assert "and 2 more" in html
