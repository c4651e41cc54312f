"""Offset and closed lips, of a mouth that is drawn by hand."""

import numpy as np
import pytest

from lipfake_jax.scoring.closures import CLOSED, LEAD_S, find_seen, measure_closures, wilson

TIMES = np.arange(250) / 25  # ten seconds
HEARD_S = np.array([1.03, 2.2, 2.71, 4.0, 4.57, 6.1, 7.33, 8.3])


def mouth(closes_s: np.ndarray, seed: int = 0) -> np.ndarray:
  """Openings of somebody who talks, and closes the lips for a tenth of a second about some moments."""
  talk = 0.15 + 0.08 * np.sin(2 * np.pi * 3.1 * TIMES) + np.random.default_rng(seed).normal(0, 0.01, len(TIMES))
  away = np.abs(TIMES[:, None] - closes_s).min(axis=1)
  return np.where(away <= 0.05, 0.01, np.where(away <= 0.1, 0.06, talk))


@pytest.mark.parametrize('late_s', [0.0, 0.2, -0.12])
def test_a_shifted_sound_is_told_as_shifted_and_lips_still_close(late_s):
  """To one frame, 40 ms."""
  found = measure_closures(HEARD_S + late_s, TIMES, mouth(HEARD_S - LEAD_S))
  assert found.offset_s == pytest.approx(late_s, abs=0.04)
  low, high = found.offset_interval_s
  assert low <= found.offset_s <= high
  assert high - low < 0.08
  assert found.share == 1.0
  assert (found.openings < CLOSED).all()
  assert found.elsewhere < 0.05
  assert found.chance == pytest.approx(1 / 1001)  # none of 1,000 draws
  np.testing.assert_allclose(found.lips_s, HEARD_S - LEAD_S, atol=0.041)


def test_lips_that_close_at_other_sounds_are_open_at_these():
  """At the best of 81 lags one or another meets a closure by chance."""
  others = np.array([0.4, 1.6, 3.3, 5.2, 5.9, 6.8, 7.9, 9.1])
  found = measure_closures(HEARD_S, TIMES, mouth(others))
  assert found.share < 0.5
  assert found.chance > 0.01


def test_a_mouth_that_is_always_closed_shows_nothing():
  found = measure_closures(HEARD_S, TIMES, np.full(len(TIMES), 0.01))
  assert (found.share, found.elsewhere, found.chance) == (1.0, 1.0, 1.0)
  assert found.offset_s == pytest.approx(0, abs=1e-9)  # the middle of all lags, which fit alike


def test_an_event_counts_where_it_is_seen_at_every_lag():
  """Frames are missing from 4 to 4.8 s; lags up to .2 s count here."""
  seen = find_seen(HEARD_S, TIMES[(TIMES < 4) | (TIMES > 4.8)])
  assert seen.tolist() == [True, True, True, False, False, True, True, True]
  assert not find_seen(HEARD_S, np.zeros(0)).any()


def test_the_order_of_frames_does_not_matter():
  order = np.random.default_rng(0).permutation(len(TIMES))
  openings = mouth(HEARD_S)
  one, other = measure_closures(HEARD_S, TIMES, openings), measure_closures(HEARD_S, TIMES[order], openings[order])
  assert (one.offset_s, one.share, one.chance) == (other.offset_s, other.share, other.chance)


def test_wilsons_interval():
  """Of 9 of 10, and of 0 of 5, by a calculator."""
  assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
  assert wilson(0, 5) == pytest.approx((0.0, 0.4345), abs=1e-4)
