"""Calibrate a rack of sensors: an eager workflow, plain asyncio that survives a kill.

    whimbrel run examples/calibration.py calibrate --sensors 4

Each sensor is measured against known temperatures and a line is fitted to what it shows. A noisy one is measured again
with more samples; one that is offline is left out. How often, and of which, nobody knows before: loops, conditions and
exceptions decide while it runs.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from whimbrel import eager, task


@dataclass
class Reading:
    """What a sensor showed at a known temperature."""

    truth: float
    shown: float


@dataclass
class Correction:
    """``truth = gain * shown + offset``, right to ``error`` degrees (root mean square)."""

    gain: float
    offset: float
    error: float


class SensorOffline(Exception):
    """The sensor does not answer."""


@task
def measure(sensor: int, samples: int, pause: float = 0.0) -> list[Reading]:
    """Read a sensor in baths between 0 and 100 degrees; more samples are averaged, and so less noisy."""
    if sensor % 7 == 3:
        raise SensorOffline(f"sensor {sensor} does not answer")
    time.sleep(pause)
    noise = random.Random(sensor * 1000 + samples)
    gain, offset, spread = 1 + sensor / 50, sensor / 4, 1.5 if sensor % 2 else 0.3
    print(f"sensor {sensor}: {samples} samples a bath")
    readings = []
    for truth in range(0, 101, 10):
        shown = [(truth - offset) / gain + noise.gauss(0, spread) for _ in range(samples)]
        readings.append(Reading(float(truth), sum(shown) / samples))
    return readings


@task(cache=True, cache_version="1")
def fit(readings: list[Reading]) -> Correction:
    """Fit a line by least squares."""
    count = len(readings)
    mean_shown = sum(reading.shown for reading in readings) / count
    mean_truth = sum(reading.truth for reading in readings) / count
    spread = sum((reading.shown - mean_shown) ** 2 for reading in readings)
    gain = sum((reading.shown - mean_shown) * (reading.truth - mean_truth) for reading in readings) / spread
    offset = mean_truth - gain * mean_shown
    squares = [(gain * reading.shown + offset - reading.truth) ** 2 for reading in readings]
    return Correction(round(gain, 4), round(offset, 3), round((sum(squares) / count) ** 0.5, 3))


@eager
async def calibrate(sensors: int = 4, tolerance: float = 0.5, pause: float = 0.0) -> dict[str, Correction]:
    """Calibrate sensors 0, 1, 2, …

    Args:
        sensors: How many there are.
        tolerance: The largest error, in degrees, that is good enough.
        pause: Seconds that a measurement takes.
    """

    async def one(sensor: int) -> Correction:
        samples = 1
        while True:
            correction = await fit(readings=await measure(sensor=sensor, samples=samples, pause=pause))
            if correction.error <= tolerance or samples >= 64:
                return correction
            samples *= 4

    found = await asyncio.gather(*[one(sensor) for sensor in range(sensors)], return_exceptions=True)
    corrections = {}
    for sensor, correction in enumerate(found):
        if isinstance(correction, Correction):
            corrections[f"sensor {sensor}"] = correction
        elif not isinstance(correction, SensorOffline):  # the class that was raised in another process
            raise correction
    return corrections
