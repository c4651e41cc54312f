"""The built-in dataset's table as a listing."""

import pytest

from lipfake_jax.data.builder import create_builder
from lipfake_jax.demo.videos import DemoSpec, _to_csv, list_videos


def test_every_row_of_the_table_is_a_video(tmp_path):
  rendered = list_videos(DemoSpec())
  (tmp_path / 'videos.csv').write_text(_to_csv(rendered))
  listing = create_builder('demo_lips', data_dir=str(tmp_path / 'data')).survey(tmp_path)
  ours = [(v.key, v.label, v.identity, v.method, v.official) for v in listing.videos]
  assert ours == [(v.path, v.label, v.identity, v.method, v.split) for v in rendered]


@pytest.mark.parametrize('name', ['flow_lips_60x64', 'flow_lips_motion_60x64'])
def test_the_control_has_a_config_of_its_own(name):
  builder = create_builder('demo_lips', f'{name}_null')
  assert builder.builder_config.null
  assert builder.builder_config.spec == create_builder('demo_lips', name).builder_config.spec
