"""Leaks that are planted are found, each kind by itself, and no others."""

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import PARTS
from lipfake_jax.data import audit


def row(number, **fields):
  """A video that shares nothing with another."""
  known = {
    'dataset': 'set', 'key': f'{number}.mp4', 'sha256': f'hash {number}', 'identity': f'person {number}',
    'second_identity': '', 'original': '', 'official': '', 'group': '', 'label': 'real',
  }  # fmt: skip
  return {**known, **fields}


ROWS = [row(n) for n in range(9)]
SPREAD = [PARTS[n % 3] for n in range(9)]  # train, validation, test, train, ...


def plant(number, **fields):
  """Nine videos, of which one has something of another."""
  return [{**video, **fields} if n == number else video for n, video in enumerate(ROWS)]


def found(rows, looks=None):
  return [(leak.kind, leak.source, leak.target, leak.pairs) for leak in audit.find_leaks(rows, SPREAD, looks)]


def test_videos_that_share_nothing_leak_nothing():
  assert found(ROWS) == []


@pytest.mark.parametrize(
  ('fields', 'kind'),
  [
    ({'sha256': 'hash 0'}, 'same content'),
    ({'identity': 'person 0'}, 'same person'),
    ({'second_identity': 'person 0'}, 'same person'),
    ({'second_identity': 'somebody+person 0'}, 'same person'),
    ({'original': '0.mp4'}, 'same original'),
  ],
)
def test_a_planted_leak_is_found(fields, kind):
  assert found(plant(5, **fields)) == [(kind, 'train', 'test', [(5, 0)])]  # number 5 is in test, 0 in training
  assert found(plant(4, **fields)) == [(kind, 'train', 'validation', [(4, 0)])]
  assert found(plant(3, **fields)) == []  # number 3 is in training too


def test_one_content_with_both_labels_is_refused():
  """Also within one part, where it is no leak; several clips of one video are no contradiction."""
  with pytest.raises(
    UserError, match=r'1 contents are labelled both real and fake:\n  0.mp4 \(real\) = 3.mp4 \(fake\)'
  ):
    found(plant(3, sha256='hash 0', label='fake'))
  assert found([*ROWS[:3], ROWS[0], *ROWS[4:]]) == []


def test_two_fakes_of_one_original_that_is_nowhere_itself():
  rows = [{**video, 'original': 'x.mp4'} if n in (1, 2) else video for n, video in enumerate(ROWS)]
  assert found(rows) == [('same original', 'validation', 'test', [(2, 1)])]


def test_the_same_video_in_two_parts():
  kinds = {kind for kind, *_ in found(plant(5, key='0.mp4'))}
  assert kinds == {'same video', 'same original'}


def test_the_same_name_in_another_dataset_is_another_video():
  assert found(plant(5, key='0.mp4', identity='person 0', dataset='other')) == []


def clips(seed):
  """Nine different clips: smooth patterns that move."""
  rng = np.random.default_rng(seed)
  fields = rng.normal(size=(9, 2, 4, 4))
  big = fields.repeat(8, axis=2).repeat(8, axis=3)
  waves = np.sin(np.arange(12))[:, None, None]
  gray = np.clip(128 + 40 * big[:, 0][:, None] + 20 * big[:, 1][:, None] * waves, 0, 255)
  return gray.astype(np.uint8)[..., None].repeat(3, axis=-1)


def test_a_copy_with_other_noise_light_and_times_is_a_near_duplicate():
  videos = clips(0)
  noise = np.random.default_rng(1).normal(0, 5, videos[0].shape)
  videos[5] = np.clip(0.8 * videos[0][::-1] + 10 + noise, 0, 255).astype(np.uint8)
  looks = np.stack([audit.describe(video) for video in videos])
  assert found(ROWS, looks) == [('near-duplicate', 'train', 'test', [(5, 0)])]


def test_the_same_mouth_saying_something_else_is_none():
  """Its mean picture is the same, where it moves is not."""
  videos = clips(0)
  videos[5] = videos[0].mean(0).astype(np.uint8) + (videos[7] - videos[7].mean(0)).clip(-20, 20).astype(np.int8)
  assert found(ROWS, np.stack([audit.describe(video) for video in videos])) == []


def test_blocks_do_not_change_the_result(monkeypatch):
  videos = clips(0)
  videos[4] = videos[5] = videos[3]
  looks = np.stack([audit.describe(video) for video in videos])
  whole = found(ROWS, looks)
  monkeypatch.setattr(audit, 'BLOCK', 1)
  assert found(ROWS, looks) == whole
  assert [pairs for *_, pairs in whole] == [[(4, 3)], [(5, 3)], [(5, 4)]]
