"""Damage, drawn by chance from a seed: to the bytes of files and messages, and to the values in messages."""

import math
from random import Random
from typing import Any, Final

import msgspec

from shared.messages import VERSION

_NASTY: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 7, 2**31 - 1, 2**31, -(2**31), 2**53, 2**63 - 1, 2**64 - 1, -(2**63)),
    *(0.0, -0.0, 0.5, 1.0, -1.0, 1e9, -1e9, 1e308, 5e-324, math.nan, math.inf, -math.inf),
    *("", "a", "../../etc/passwd", "\x00", "\u202e", "x" * 5000, "%s%n{0}", "happy", "[red]"),
    *(b"", b"\x00", b"\xff" * 300, [], {}, [[]], [None] * 7, [0.5] * 7, {"clip": 1}, {1: 2}),
)


def mutate(random: Random, data: bytes) -> bytes:
    """Return bytes with one to three kinds of damage done to them."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice((_flip, _flip, _cut, _drop, _insert, _repeat, _overwrite, _zero))(random, data)
    return data


def mutate_header(random: Random, data: bytes) -> bytes:
    """Return bytes that are damaged in their first 256 only, where containers say what follows."""
    head = bytearray(data[:256])
    for _ in range(random.randint(1, 12)):
        head[random.randrange(len(head))] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
    return bytes(head) + data[256:]


def mutate_values(random: Random, message: bytes) -> bytes:
    """Return a message in which a value or two, wherever they stand, are others."""
    tree = msgspec.msgpack.decode(message[1:])
    for _ in range(random.choice((1, 1, 2))):
        tree = _replace(random, tree)
    return bytes([VERSION]) + msgspec.msgpack.encode(tree)


def _replace(random: Random, tree: Any) -> Any:
    if isinstance(tree, dict) and tree and random.random() < 0.9:
        key = random.choice(list(tree))
        if random.random() < 0.1:
            return {other: value for other, value in tree.items() if other != key}
        return tree | {key: _replace(random, tree[key])}
    if isinstance(tree, list) and tree and random.random() < 0.9:
        at = random.randrange(len(tree))
        if random.random() < 0.1:
            return tree[:at] + tree[at + 1 :]
        return [*tree[:at], _replace(random, tree[at]), *tree[at + 1 :]]
    return random.choice(_NASTY)


def _flip(random: Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(random.choice((1, 2, 8, 64)) if data else 0):
        damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
    return bytes(damaged)


def _cut(random: Random, data: bytes) -> bytes:
    return data[: random.randint(0, len(data))]


def _span(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randint(0, len(data))
    return start, min(len(data), start + random.choice((1, 4, 16, 200, 3000)))


def _drop(random: Random, data: bytes) -> bytes:
    start, stop = _span(random, data)
    return data[:start] + data[stop:]


def _insert(random: Random, data: bytes) -> bytes:
    start, _ = _span(random, data)
    return data[:start] + random.randbytes(random.choice((1, 4, 16, 200))) + data[start:]


def _repeat(random: Random, data: bytes) -> bytes:
    start, stop = _span(random, data)
    return data[:stop] + data[start:stop] * random.choice((1, 2, 5)) + data[stop:]


def _overwrite(random: Random, data: bytes) -> bytes:
    start, stop = _span(random, data)
    return data[:start] + random.randbytes(stop - start) + data[stop:]


def _zero(random: Random, data: bytes) -> bytes:
    start, stop = _span(random, data)
    return data[:start] + bytes([random.choice((0, 0xFF))]) * (stop - start) + data[stop:]
