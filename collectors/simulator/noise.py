"""Random numbers as a pure function of a key and an index: any stretch of time can be drawn, in any order, without memory."""

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Minutes = NDArray[np.int64]


@lru_cache(10_000)
def key_of(*names: object) -> np.uint64:
    """Return the key of a series of random numbers; other names, other numbers."""
    text = "/".join(map(str, names)).encode()
    return np.uint64(int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little"))


def uniforms(key: np.uint64, index: Minutes) -> Floats:
    """Return a number between 0 and 1, both excluded, for each index (splitmix64)."""
    mixed = index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + key
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    drawn: Floats = ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return drawn


def normals(key: np.uint64, index: Minutes) -> Floats:
    """Return a normal number (mean 0, deviation 1) for each index."""
    drawn: Floats = np.sqrt(-2 * np.log(uniforms(key, 2 * index))) * np.cos(2 * np.pi * uniforms(key, 2 * index + 1))
    return drawn


def waves(key: np.uint64, minutes: Minutes, period: int) -> Floats:
    """Return a smooth random curve at these minutes, in ascending order: a normal number every `period`, and between them."""
    first = int(minutes[0]) // period
    knots = normals(key, np.arange(first, int(minutes[-1]) // period + 2))
    at = minutes // period - first
    part = (minutes % period) / period
    part *= part * (3 - 2 * part)
    curve: Floats = knots[at] * (1 - part) + knots[at + 1] * part
    return curve
