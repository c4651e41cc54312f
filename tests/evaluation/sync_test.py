"""What is done to the sound of videos, and what towers that do not err make of it."""

import numpy as np
import pytest

from lipfake_jax.data import pairs as pairs_module
from lipfake_jax.data.pairs import open_pairs
from lipfake_jax.evaluation.sync import (
  fit_head,
  measure_own,
  measure_sync,
  pick_others,
  shift_sound,
  stretch_sound,
  swap_sound,
)
from tests.data.pair_cases import make_split
from tests.inference.tower_cases import open_fake

SOUND = np.arange(6.0)[None, :, None, None] * np.ones((2, 1, 1, 1))  # of two clips: the number of the frame


def test_later_sound_is_that_of_earlier_frames():
  looks, sounds = shift_sound((SOUND, SOUND), 2)
  assert (looks - sounds).ravel().tolist() == [2] * 8
  looks, sounds = shift_sound((SOUND, SOUND), -2)
  assert (looks - sounds).ravel().tolist() == [-2] * 8


def test_stretched_sound_is_in_time_in_the_middle_alone():
  _, sounds = stretch_sound((SOUND, SOUND), 2.0)
  assert sounds[0].ravel().tolist() == [1, 2, 2, 3, 3, 4]  # 2.5 + (t - 2.5) / 2, to the nearest


def test_another_is_somebody_else():
  assert pick_others(['a', 'a', 'b', 'c']) == [2, 2, 3, 0]
  assert swap_sound((SOUND, SOUND), (SOUND, 7 + SOUND[:1]))[1].shape == SOUND.shape


def test_towers_that_do_not_err_tell_all_apart(monkeypatch):
  monkeypatch.setattr(pairs_module, 'open_split', lambda choice, part, data_dir, feature: make_split(feature, part))
  towers = open_fake('lips')
  reals = open_pairs(None, 'validation', None, towers.model.inputs)
  rows = {row['kind']: row for row in measure_sync(towers, reals, None)}
  assert list(rows) == ['its own sound', "another's sound", 'stretched', '200 ms late', '200 ms early']
  assert {row['videos'] for row in rows.values()} == {6}  # the seventh has no sound
  assert rows["another's sound"]['auc'] == 1
  assert rows["another's sound"]['found'] is None
  assert rows['its own sound']['auc'] == 0.5
  assert [rows[f'200 ms {when}']['found'] for when in ('late', 'early')] == [1, 1]
  assert [rows[f'200 ms {when}']['offset_ms'] for when in ('late', 'early')] == [200, -200]
  assert min(measure_own(towers, reals)) == pytest.approx(rows['its own sound']['confidence'], abs=0.3)


def test_a_head_finds_shifts_that_the_confidence_does_not_know_of(monkeypatch):
  """Of ten videos of five people: three figures and a bias want four."""
  monkeypatch.setattr(
    pairs_module, 'open_split', lambda choice, part, data_dir, feature: make_split(feature, part, count=21)
  )
  towers = open_fake('lips')
  reals = open_pairs(None, 'validation', None, towers.model.inputs)
  rows = {row['kind']: row for row in measure_sync(towers, reals, None, fit_head(towers, reals))}
  assert rows['200 ms late']['auc'] < 0.9
  assert [row['head_auc'] for row in rows.values()] == [0.5, 1, 1, 1, 1]


@pytest.mark.parametrize('count', [4, 13])
def test_too_few_people_make_no_head(monkeypatch, count):
  """One is heard, or three."""
  monkeypatch.setattr(
    pairs_module, 'open_split', lambda choice, part, data_dir, feature: make_split(feature, part, count=count)
  )
  towers = open_fake('lips')
  assert fit_head(towers, open_pairs(None, 'validation', None, towers.model.inputs)) is None
