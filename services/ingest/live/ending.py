"""The end of a live clip: it comes to its files as any other one does."""

from shared.queues import clips, produce
from shared.queues.broker import Broker
from shared.queues.outage import Outage, insist


def end(broker: Broker, clip_id: str, warnings: list[str], outage: Outage | None = None) -> bool:
    """End a live clip: no more frames come, and its files are written when its last face is done.

    Returns False when it has ended before, or is gone.
    """
    clip = insist(lambda: clips.get(broker, clip_id), outage)
    at = insist(lambda: produce.position(broker, clip_id), outage)
    if clip is None or at.finished:
        return False
    warnings = clip.warnings + warnings
    final: dict[str, object] = {"warnings": warnings, "frames_expected": clip.frames, "held": ""}
    insist(lambda: clips.update(broker, clip_id, **final), outage)
    return produce.commit(
        broker,
        clip_id,
        expected=at.frame,
        frames=[],
        faces=[],
        state=at.state,
        tracks=clip.tracks,
        shots=clip.shots,
        last=True,
        outage=outage,
    )
