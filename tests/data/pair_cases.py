"""A small set of real clips that speak: sound and lips follow one signal, another in each clip."""

import numpy as np
from tensorflow_datasets.proto import tf_example_pb2

from lipfake_jax.clips.regions import LIP_POINTS
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.vocabulary import SOUNDS
from lipfake_jax.data.dataset import Split

FRAMES = 40
SPEC = ClipSpec(frames=FRAMES, size=16, rule='contiguous', sound=True)


def speak(count: int, seed: int) -> dict[str, np.ndarray]:
  """Features of `count` clips: lips open, and half of the bands are loud, as one signal rises and falls."""
  rng = np.random.default_rng(seed)
  said = rng.normal(size=(count, FRAMES))
  shape = np.random.default_rng(0).normal(0, 0.1, (len(LIP_POINTS), 2))
  lips = said[..., None, None] * shape + rng.normal(0, 0.01, (count, FRAMES, len(LIP_POINTS), 2))
  sound = rng.normal(-5, 0.3, (count, FRAMES, 4, 64))
  sound[..., :32] += 2 * said[..., None, None]
  state = np.full((count, 1), SOUNDS.index('heard'))
  state[-1] = SOUNDS.index('absent')
  types = {'lips': np.float32, 'sound': np.float32, 'sound_state': np.uint8}
  return {name: x.astype(types[name]) for name, x in {'lips': lips, 'sound': sound, 'sound_state': state}.items()}


def make_split(feature: str, part: str, count: int = 13, label: int = 0) -> Split:
  """`count` clips of one class, two of each video and four of each person; the last one's video has no sound."""
  stored = speak(count, seed={'train': 1, 'validation': 2, 'test': 3}[part] + 10 * label)[feature]
  numbers = np.arange(count)
  table = {
    'key': [f'{part}/{number // 2:02}.mp4' for number in numbers],
    'identity': [f'{part} {number // 4}' for number in numbers],
    **{
      name: [text] * count
      for name, text in {'dataset': 'tiny', 'second_identity': '', 'group': '', 'original': ''}.items()
    },
  }
  records = [_to_record(feature, x) for x in stored]
  places = np.stack([0 * numbers, numbers], axis=1)
  labels = np.full(count, label, np.int32)
  return Split('tiny', 'tiny', part, 'official', (records,), places, labels, table, SPEC.fields(), [], feature)


def _to_record(feature: str, array: np.ndarray) -> bytes:
  example = tf_example_pb2.Example()
  example.features.feature[feature].bytes_list.value.append(array.tobytes())
  return example.SerializeToString()
