"""Which part a run is tested on, and where its results lie."""

import dataclasses

import pytest

from lipfake_jax.core.clip_spec import SPECS
from lipfake_jax.evaluation import tested as tested_module
from lipfake_jax.evaluation.tested import open_tested, results_folder
from tests.evaluation.evaluation_cases import make_split

MODEL = {'name': 'cnn_lstm', 'arguments': {}}


@pytest.mark.parametrize(
  ('trained', 'tested', 'expected'),
  [
    (('celeb_df_v2', 'flow_lips_60x64'), 'celeb_df_v2', 'paper'),
    (('celeb_df_v2', 'flow_lips_60x64'), 'xm2vts:all', ''),
    (('celeb_df_v2+dfdc', 'flow_lips_60x64'), 'dfdc', 'paper'),
    (('celeb_df_v2', 'flow_lips_60x64'), 'celeb_df_v2+dfdc', 'paper'),
    (('combined', 'celeb_df_v2+dfdc-uniform_face_60x64'), 'dfdc/uniform_face_60x64', 'paper'),
    (('dfdc', 'uniform_face_60x64'), 'combined/celeb_df_v2+dfdc-uniform_face_60x64', 'paper'),
    (('combined', 'celeb_df_v2+dfdc'), 'xm2vts', ''),
  ],
)
def test_parts_are_those_of_training_where_a_dataset_is_common(monkeypatch, trained, tested, expected):
  """Else a video of the training part could be tested on."""
  monkeypatch.setattr(tested_module, 'open_split', lambda choice, *_: choice.split)
  data = {'dataset': trained[0], 'builder_config': trained[1], 'split': 'paper', 'split_seed': 0, 'exclude': ()}
  assert open_tested(tested, {'data': data, 'before': [], 'clip': {}, 'model': MODEL}, None) == expected


@pytest.mark.parametrize(('tested', 'left_aside'), [('celeb_df_v2', ('YouTube-real',)), ('video_folder', ())])
def test_folders_are_left_aside_of_the_training_set_alone(monkeypatch, tested, left_aside):
  """Another dataset may call a folder of its own by the same name."""
  monkeypatch.setattr(tested_module, 'open_split', lambda choice, *_: choice.exclude)
  trained = {'dataset': 'celeb_df_v2', 'builder_config': 'flow_lips_60x64', 'split': 'identity', 'split_seed': 0}
  meta = {'data': {**trained, 'exclude': ['YouTube-real']}, 'before': [], 'clip': {}, 'model': MODEL}
  assert open_tested(tested, meta, None) == left_aside


def test_clips_go_by_their_own_name_in_another_dataset(monkeypatch):
  """A control's config, or a union's, is known to its dataset alone."""
  monkeypatch.setattr(tested_module, 'open_split', lambda choice, *_: f'{choice.dataset}/{choice.builder_config}')
  data = {'dataset': 'demo_lips', 'builder_config': 'flow_lips_60x64_null', 'split': '', 'split_seed': 0, 'exclude': ()}
  meta = {'data': data, 'before': [], 'clip': dataclasses.asdict(SPECS['flow_lips_60x64']), 'model': MODEL}
  assert open_tested('demo_lips', meta, None) == 'demo_lips/flow_lips_60x64_null'
  assert open_tested('xm2vts:all', meta, None) == 'xm2vts/flow_lips_60x64'
  assert open_tested('xm2vts/mine:all', meta, None) == 'xm2vts/mine'


@pytest.mark.parametrize(
  ('dataset', 'config', 'folder'),
  [
    ('demo_lips', 'flow_lips_60x64', 'demo_lips-test'),  # the run's own
    ('demo_lips', 'flow_lips_60x64_null', 'demo_lips-test-flow_lips_60x64_null'),
    ('xm2vts', 'flow_lips_60x64', 'xm2vts-test'),  # the same clips of another dataset
    ('combined', 'dfdc+xm2vts-flow_lips_60x64', 'combined-test-dfdc+xm2vts-flow_lips_60x64'),
    ('combined', 'dfdc+celeb_df_v2-flow_lips_60x64', 'combined-test-dfdc+celeb_df_v2-flow_lips_60x64'),
  ],
)
def test_results_of_different_configs_lie_apart(tmp_path, dataset, config, folder):
  data = {'dataset': 'demo_lips', 'builder_config': 'flow_lips_60x64', 'split': '', 'split_seed': 0, 'exclude': ()}
  meta = {'data': data, 'before': [], 'clip': dataclasses.asdict(SPECS['flow_lips_60x64']), 'model': MODEL}
  split = dataclasses.replace(make_split([0, 1]), dataset=dataset, builder_config=config)
  assert results_folder(tmp_path, split, meta) == tmp_path / 'eval' / folder
