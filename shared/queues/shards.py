"""Where clips are: each in the shard that its id was put in, whatever their number is by now."""

from collections.abc import Sequence
from dataclasses import replace

from shared.queues.broker import Broker
from shared.queues.keys import Keys


def every(broker: Broker) -> list[Broker]:
    """Return the broker once for each shard in which clips may be, with the keys of that shard."""
    return [replace(broker, keys=keys) for keys in broker.keys.everywhere()]


def home_of(broker: Broker, clip_id: str) -> Broker:
    """Return the broker with the keys of the shard that a clip is in, or would be put in now.

    The broker is only asked when clips have been put here under another number of shards. One that has the
    keys of a shard already is returned as it is.
    """
    if broker.keys.shard is not None:
        return broker
    first, *others = broker.keys.homes(clip_id)
    if others:
        for keys in (first, *others):
            if broker.client.exists(keys.clip(clip_id)):
                return replace(broker, keys=keys)
    return replace(broker, keys=first)


def keys_of(broker: Broker, clip_id: str) -> Keys:
    """Return the keys of the shard that a clip is in; see `home_of`."""
    return home_of(broker, clip_id).keys


def homes_of(broker: Broker, clip_ids: Sequence[str]) -> list[Broker]:
    """Return `home_of` each of the clips; the broker is asked once for all of them."""
    if broker.keys.shard is not None:
        return [broker] * len(clip_ids)
    choices = [broker.keys.homes(clip_id) for clip_id in clip_ids]
    if all(len(keys) == 1 for keys in choices):
        return [replace(broker, keys=keys[0]) for keys in choices]
    with broker.client.pipeline(transaction=False) as pipeline:
        for clip_id, keys in zip(clip_ids, choices, strict=True):
            for one in keys:
                pipeline.exists(one.clip(clip_id))
        there = iter(pipeline.execute())
    homes = []
    for keys in choices:
        found = [one for one in keys if next(there)]
        homes.append(replace(broker, keys=(found or keys)[0]))
    return homes


def remember(broker: Broker) -> None:
    """Take note under which number of shards clips are put here, for those who come later with another one.

    Of a broker that has only ever known one shard nothing is noted.
    """
    keys = broker.keys
    if keys.shards > 1 or keys.past:
        broker.client.sadd(keys.layouts, keys.shards, *keys.past)
