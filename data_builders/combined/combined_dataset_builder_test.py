"""Unions: every clip keeps its dataset, its label and its part."""

import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.data import splits
from lipfake_jax.data.builder import create_builder
from lipfake_jax.data.dataset import DataChoice, open_split

UNION = 'celeb_df_v2+m2fred_wav2lip'


def test_a_union_holds_what_its_datasets_hold(names, survey):
  root = names('combined')
  union = survey('combined', root, UNION)
  alone = [survey(name, root / name).videos for name in UNION.split('+')]
  assert union.videos == [*alone[0], *alone[1]]
  assert [video.dataset for video in union.videos] == [
    name for name, v in zip(UNION.split('+'), alone, strict=True) for _ in v
  ]
  assert len(union.notes['masked videos, left out (m2fred_wav2lip)']) == 3


def test_parts_are_those_of_the_datasets_alone(names, survey):
  root = names('combined')
  union = [vars(video) for video in survey('combined', root, UNION).videos]
  alone = [[vars(video) for video in survey(name, root / name).videos] for name in UNION.split('+')]
  for split in ('identity', 'paper'):
    parts = [splits.assign_parts(rows, split) for rows in alone]
    assert splits.assign_parts(union, split) == [*parts[0], *parts[1]]


def test_the_config_names_the_union_and_the_clips():
  union = 'faceforensics+dfdc+xm2vts-uniform_lips_30x32'
  assert create_builder('combined', union).builder_config.spec.frames == 30
  assert create_builder('combined', UNION).builder_config.spec.frames == 60


def test_a_dataset_that_is_not_there_is_told(names, survey):
  root = names('combined')
  with pytest.raises(UserError, match='lacks the folder xm2vts; it holds celeb_df_v2, m2fred_wav2lip'):
    survey('combined', root, 'celeb_df_v2+xm2vts')
  with pytest.raises(UserError, match='is none of flow_lips_60x64, '):
    survey('combined', root, 'celeb_df_v2+xm2vts-flow')
  with pytest.raises(UserError, match=r"config 'celeb_df_v2' is none of"):
    survey('combined', root, 'celeb_df_v2')


@pytest.mark.slow
def test_the_union_builds_and_is_read(build, data_dir):
  rows = build('combined', UNION)
  assert {row['dataset'] for row in rows} == set(UNION.split('+'))
  split = open_split(DataChoice('combined', UNION), 'test', str(data_dir))
  assert set(split.table['dataset']) == set(UNION.split('+'))
