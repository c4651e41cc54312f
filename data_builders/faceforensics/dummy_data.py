"""A miniature of FaceForensics++: eight pairs by two methods, three actors, and the official lists of pairs."""

import json

from data_builders.make_dummy import DummyData, DummyVideo

PAIRS = [(f'{2 * n:03}', f'{2 * n + 1:03}') for n in range(8)]
YOUTUBE = [
  DummyVideo(f'original_sequences/youtube/c23/videos/{name}.mp4', 'real', int(name)) for pair in PAIRS for name in pair
]
FAKES = [
  DummyVideo(f'manipulated_sequences/{method}/c23/videos/{a}_{b}.mp4', 'fake', int(a))
  for method in ('Deepfakes', 'NeuralTextures')
  for a, b in (pair[::way] for pair in PAIRS for way in (1, -1))
]
ACTORS = [
  DummyVideo(f'original_sequences/actors/c23/videos/{n:02}__kitchen_pan.mp4', 'real', 50 + n) for n in (1, 2, 3)
]
SWAPS = [
  DummyVideo(
    f'manipulated_sequences/DeepFakeDetection/c23/videos/{a:02}_{b:02}__kitchen_pan__9229VVZ3.mp4', 'fake', 50 + a
  )
  for a, b in ((1, 2), (2, 3))
]
LISTS = {'train.json': PAIRS[:4], 'val.json': PAIRS[4:6], 'test.json': PAIRS[6:]}
DUMMY = DummyData([*YOUTUBE, *FAKES, *ACTORS, *SWAPS], {name: json.dumps(pairs) for name, pairs in LISTS.items()})
