"""A fake beside each real clip."""

from types import SimpleNamespace

import numpy as np
import pytest
from tensorflow_datasets.proto import tf_example_pb2

from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.people import units
from lipfake_jax.data.batches import read_clip
from lipfake_jax.data.dataset import Split
from lipfake_jax.data.pseudo_twins import add_twins

SPEC = ClipSpec(frames=4, size=64)


@pytest.fixture(scope='module')
def reals():
  """Three clips of two videos of two people, of smooth noise."""
  rng = np.random.default_rng(0)
  examples = []
  for _ in range(3):
    clip = rng.integers(0, 255, (4, 8, 8, 3), np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    example = tf_example_pb2.Example()
    example.features.feature['clip'].bytes_list.value.append(clip.tobytes())
    examples.append(example.SerializeToString())
  table = {
    'clip': ['a', 'a#2', 'b'], 'key': ['a', 'a', 'b'], 'identity': ['anna', 'anna', ''], 'second_identity': [''] * 3,
    'method': ['original'] * 3, 'original': [''] * 3, 'label': ['real'] * 3, 'group': [''] * 3, 'dataset': ['d'] * 3,
  }  # fmt: skip
  places = np.array([(0, 0), (0, 1), (0, 2)])
  name = SimpleNamespace(dataset='d', builder_config='c', name='test', rule='official')
  return Split(
    **vars(name), sources=(examples,), places=places, labels=np.zeros(3, np.int32), table=table, spec=SPEC.fields(),
    rejections=[], feature='clip',
  )  # fmt: skip


def test_each_real_has_a_fake_of_the_same_person_and_video(reals):
  both = add_twins(reals)
  assert both.labels.tolist() == [0, 0, 0, 1, 1, 1]
  assert both.table['key'][3:] == ['a~pseudo-fake', 'a~pseudo-fake', 'b~pseudo-fake']
  assert both.table['label'] == ['real'] * 3 + ['fake'] * 3
  rows = both.rows
  assert all(units(rows[i]) == units(rows[i + 3]) for i in range(3))
  assert both.table['method'][3] == both.table['method'][4] != 'original'  # of one video one kind


def test_fakes_differ_from_their_reals_and_are_the_same_each_time(reals):
  one, other = add_twins(reals), add_twins(reals)
  for position in range(3):
    real, fake = read_clip(one, position), read_clip(one, position + 3)
    assert real.shape == fake.shape == (4, 64, 64, 3)
    assert (real != fake).any()
    np.testing.assert_array_equal(fake, read_clip(other, position + 3))
