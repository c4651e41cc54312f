"""One table of all models: their configs, what is trained and what is read, and the rows."""

import json

import jax
import jax.numpy as jnp
import pytest
from flax.traverse_util import flatten_dict

from configs import demo
from lipfake_jax.clips.features import FEATURES
from lipfake_jax.core.clip_spec import SPECS
from lipfake_jax.core.errors import UserError
from lipfake_jax.experiments import leaderboard
from lipfake_jax.models import MODELS, create_model
from tests.evaluation.evaluation_cases import make_measured
from tests.training.loop_test import tiny_config

pytestmark = pytest.mark.usefixtures('quick_evaluation')


FREE = (
  'name', 'builder_config', 'batch_size', 'epochs', 'early_stopping_patience', 'aggregation',
  'init_from', 'relative', 'freeze',  # of a pretrained encoder
)  # fmt: skip


@pytest.mark.parametrize('name', MODELS)
def test_a_models_config_is_the_demos_but_for_the_model_its_clips_and_how_long_it_trains(name):
  """So that one table can hold them all: same dataset, same split, same learning rate, same rule for the threshold."""
  ours, theirs = (
    flatten_dict(config.to_dict()) for config in (leaderboard.make_config(name, '', 0), demo.get_config())
  )
  changed = {path for path, value in ours.items() if value != theirs[path]}
  assert ours['model', 'name'] == name
  assert all(path[-1] in FREE or path[:2] == ('model', name) for path in changed)


@pytest.mark.parametrize('name', MODELS)
def test_a_models_config_has_clips_that_it_can_be_fed_with(name):
  """Its dataset stores what the model takes, and of that shape the model makes a score a clip, or a frame."""
  config = leaderboard.make_config(name, '', 0)
  model, spec = create_model(name, config.model[name]), SPECS[config.data.builder_config]
  feature = FEATURES[model.input]
  assert feature.is_in(spec)
  clips = jnp.zeros((2, *feature.shape(spec)))
  logits = jax.eval_shape(lambda: model.init_with_output(jax.random.key(0), clips)[0])
  scores = {
    'xception_frames': 60,
    'cnn5_frames': 60,
    'effnet_frames': 8,
    'effnet_probe': 8,
  }  # a frame, or every second one
  assert logits.shape == ((2, scores[name]) if name in scores else (2,))


def test_another_dataset_and_fewer_epochs():
  config = leaderboard.make_config('cnn3d', 'video_folder', 2)
  assert (config.data.dataset, config.train.epochs) == ('video_folder', 2)
  assert leaderboard.make_config('motion_svm', '', 5).train.epochs == 1  # at most
  with pytest.raises(UserError, match='choose one of cnn_lstm'):
    leaderboard.make_config('lstm', '', 0)


def test_a_row_has_the_intervals():
  metrics, _, _ = make_measured([0, 1] * 20, [0.2, 0.8] * 19 + [0.8, 0.2])
  speed = ['lips', 'lips 60x64x2', '90,817', '0.01', '159', '881']
  row = leaderboard.describe_result('lips', metrics, 7, speed)
  low, high = metrics['intervals']['balanced_accuracy']
  assert row[:5] == ['lips', 'lips 60x64x2', '90,817', '0.01', '7']
  assert row[6:] == [f'0.950 ({low:.3f}-{high:.3f})', '159', '881']


@pytest.mark.slow
def test_trains_what_is_not_trained_and_reads_the_rest(tmp_path, tiny_data, capsys):
  configs = {'lip_kinematics': tiny_config(**{'model.name': 'lip_kinematics', 'train.epochs': 2})}
  table = leaderboard.run_models(configs, tmp_path, tiny_data)
  metrics = json.loads((tmp_path / 'lip_kinematics' / 'eval' / 'tiny_clips-test' / 'metrics.json').read_text())
  cells = table.splitlines()[2].split(' | ')
  assert cells[:5] == ['| lip_kinematics', 'lips 60x64x2', '90,817', '0.01', '2']
  assert cells[5].startswith(f'{metrics["auc"]:.3f} (')
  assert (tmp_path / 'models.md').read_text() == table
  capsys.readouterr()
  leaderboard.run_models(configs, tmp_path, tiny_data)
  assert 'epoch' not in capsys.readouterr().out  # nothing is trained again
  configs['lip_kinematics'].model.clrnet.momentum = 0.5  # not the model's
  assert leaderboard.find_result(configs['lip_kinematics'], tmp_path / 'lip_kinematics', tiny_data) == metrics
  configs['lip_kinematics'].data.split_seed = 5
  with pytest.raises(UserError, match=r'holds a run with another data\.split_seed: choose another --workdir'):
    leaderboard.run_models(configs, tmp_path, tiny_data)
  configs['lip_kinematics'].data.split_seed = 0
  configs['lip_kinematics'].model.lip_kinematics.units = 8
  with pytest.raises(UserError, match=r'holds a run with another model\.lip_kinematics: choose another --workdir'):
    leaderboard.run_models(configs, tmp_path, tiny_data)
