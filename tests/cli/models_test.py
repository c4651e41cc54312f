"""The list of models: what it says is what they are."""

import jax
import jax.numpy as jnp
import pytest

from lipfake_jax.cli.main import main
from lipfake_jax.clips.motion_statistics import N_FEATURES
from lipfake_jax.clips.regions import LIP_POINTS
from lipfake_jax.models import MODELS, create_model


def test_a_line_a_model(capsys):
  main(['models'])
  header, *lines = capsys.readouterr().out.splitlines()
  assert header.split() == ['model', 'input', 'parameters', 'source']
  assert [line.split()[0] for line in lines] == list(MODELS)
  assert lines[0].split()[:4] == ['cnn_lstm', 'clip', '60x64x64', '6,524,609']
  assert max(map(len, lines)) <= 100


@pytest.mark.parametrize('name', MODELS)
def test_a_model_takes_and_has_what_the_list_says(name):
  model = create_model(name, {})
  variables = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, *model.input_shape)))
  assert sum(leaf.size for leaf in jax.tree.leaves(variables['params'])) == model.n_params
  assert model.source


def test_other_inputs_are_as_long_as_clips_store_them():
  assert create_model('lip_kinematics', {}).input_shape[1:] == (len(LIP_POINTS), 2)
  assert create_model('motion_svm', {}).input_shape == (N_FEATURES,)


def test_an_unknown_model_is_told_with_those_that_exist(capsys):
  with pytest.raises(SystemExit) as stop:
    main(['models', '--models=lstm,cnn3d'])
  assert stop.value.code == 2
  assert capsys.readouterr().err.startswith('error: --models: lstm is none of cnn_lstm, cnn_gru')


@pytest.mark.slow
def test_speeds_are_measured_where_they_are_asked_for(capsys):
  main(['models', '--speed', '--models=lip_kinematics', '--batch_size=1'])
  row = capsys.readouterr().out.splitlines()[-1].strip('| ').split(' | ')
  assert row[:3] == ['lip_kinematics', 'lips 60x64x2', '90,817']
  assert all(float(speed) > 0 for speed in row[4:])
