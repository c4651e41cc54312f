"""The picture of pseudo-fakes."""

import numpy as np
from matplotlib import image

from lipfake_jax.report.pseudo_fake_picture import draw_pseudo_fakes
from tests.conftest import make_clip


def test_every_kind_has_a_row(tmp_path, portrait):
  """A row is at least as high as the crop; the picture is the same when it is drawn again."""
  frames = np.stack([portrait[170:298, 190 - shift : 318 - shift] for shift in range(4)])
  for name in ('a.png', 'b.png'):
    draw_pseudo_fakes(make_clip(frames, 'v'), tmp_path / name)
  first, second = (image.imread(tmp_path / name) for name in ('a.png', 'b.png'))
  assert first.shape[0] > 10 * 100
  np.testing.assert_array_equal(first, second)
