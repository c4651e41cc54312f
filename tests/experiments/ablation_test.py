"""The ablation: which choices there are, what each row changes, and a tiny one from end to end."""

import json
import re

import pytest
from flax.traverse_util import flatten_dict

from configs import default
from configs.paper import celeb_flow, legacy
from lipfake_jax.core.clip_spec import SPECS, ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.experiments import ablation, ablation_variants
from lipfake_jax.experiments.ablation import ablation_table
from lipfake_jax.experiments.ablation_variants import CHOICES, LEGACY, OURS, WHOLE_FRAME, list_variants, make_config
from tests.training.loop_test import rows, tiny_config

pytestmark = pytest.mark.usefixtures('quick_evaluation')


def settings(fields):
  """A variant's config, with the fields of its clips' spec in the place of the spec's name."""
  config = flatten_dict(make_config(default.get_config(), fields, 0).to_dict(), sep='.')
  return config | {f'clip.{name}': value for name, value in vars(SPECS[config.pop('data.builder_config')]).items()}


def test_each_choice_is_listed_once():
  fields = [field for choice in (*CHOICES, WHOLE_FRAME) for field in choice.fields]
  assert len(set(fields)) == len(fields)
  assert len({choice.name for choice in CHOICES}) == len(CHOICES) == 7
  assert all(old != new for choice in CHOICES for old, new in choice.fields.values())


@pytest.mark.parametrize(('start', 'side'), [(LEGACY, 1), (OURS, 0)])
def test_each_row_differs_from_the_start_in_one_choice(start, side):
  first, *singles, last = list_variants(start)
  assert (first.name, last.name) == (start, LEGACY if start == OURS else OURS)
  base = settings(first.fields)
  for choice, row in zip(CHOICES if start == LEGACY else (*CHOICES, WHOLE_FRAME), singles, strict=True):
    changed = {name: value for name, value in settings(row.fields).items() if base[name] != value}
    assert changed == row.flags == {field: values[side] for field, values in choice.fields.items()}
  changed = {name: value for name, value in settings(last.fields).items() if base[name] != value}
  assert changed == {field: values[side] for choice in CHOICES for field, values in choice.fields.items()}


def test_the_two_ends_are_configs_of_their_own():
  made = {start: make_config(celeb_flow.get_config(), list_variants(start)[0].fields, 0) for start in (LEGACY, OURS)}
  assert made[LEGACY].to_dict() == legacy.get_config().to_dict()
  ours = default.get_config()
  ours.data.update({'split': 'identity', 'exclude': ('YouTube-real',)})
  assert made[OURS].to_dict() == ours.to_dict()


@pytest.mark.parametrize('name', [choice.name for choice in CHOICES])
def test_a_choice_that_is_left_out_is_ours_in_every_row(name):
  fields = next(choice.fields for choice in CHOICES if choice.name == name)
  for start in (LEGACY, OURS):
    rows_left = list_variants(start, [name])
    assert len(rows_left) == len(list_variants(start)) - 1
    for row in rows_left:
      assert {field: settings(row.fields)[field] for field in fields} == {f: new for f, (_, new) in fields.items()}


def test_unknown_names_are_told():
  with pytest.raises(UserError, match=r"start 'legacy', without 'flow': .* leave out some of per_frame, frozen, "):
    list_variants(LEGACY, ['flow'])


def test_all_missing_datasets_are_told_with_their_commands(tmp_path):
  with pytest.raises(UserError) as told:
    ablation.run_ablation(legacy.get_config(), tmp_path / 'runs', str(tmp_path))
  commands = re.findall(r'^tfds build data_builders/celeb_df_v2 --config=(\S+) --data_dir=', str(told.value), re.M)
  assert set(commands) == {
    'flow_lips_60x64',
    'flow_lips_box_drop_60x64',
    'flow_lips_box_even_60x64',
    'flow_lips_box_even_drop_60x64',
    'flow_lips_even_drop_60x64',
  }
  assert not (tmp_path / 'runs').exists()


def test_the_table():
  listed = list_variants(LEGACY, [choice.name for choice in CHOICES if choice.name not in ('frozen', 'drop')])
  figures = {'n': 9, 'shared': 3, 'sound': False, 'accuracy': 0.5, 'balanced_accuracy': 0.625}
  sound = {**figures, 'auc': 0.75, 'shared': 0, 'sound': True}
  runs = {row.name: [{**figures, 'auc': 0.5}, {**figures, 'auc': 1.0}] for row in listed[:-1]}
  lines = ablation_table(listed, {**runs, OURS: [sound, sound]}).splitlines()
  cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines[:6]]
  assert {len(row) for row in cells} == {9}
  assert cells[0][5:] == ['balanced accuracy', 'accuracy', 'sound AUC', 'sound balanced accuracy']
  assert [row[1] for row in cells[2:]] == ['-', 'augment.frozen=False', 'clip.below=fill', '-']
  tail = ['0.625 (0.625-0.625)', '0.500 (0.500-0.500)']
  assert cells[2] == ['the released code', '-', '9', '3', '0.750 (0.500-1.000)', *tail, '-', '-']
  assert cells[5][2:5] == ['9', '0', '0.750 (0.750-0.750)']
  assert cells[5][7:] == ['0.750 (0.750-0.750)', '0.625 (0.625-0.625)']


def test_of_one_seed_there_is_no_range():
  assert ablation.summarise([0.5]) == '0.500'
  assert ablation.summarise([0.5, None]) == '-'


@pytest.fixture
def tiny_choices(monkeypatch):
  """Those that need no other clips than `tiny_clips` has."""
  monkeypatch.setattr(ablation_variants, 'SPECS', {'tiny': ClipSpec()})
  monkeypatch.setattr(
    ablation_variants, 'CHOICES', [choice for choice in CHOICES if choice.name in ('validation', 'split')]
  )


@pytest.mark.slow
def test_a_tiny_ablation(tmp_path, tiny_data, tiny_choices):
  config = tiny_config(**{'train.epochs': 2, 'train.batch_size': 8, 'augment.brightness': 0.9})
  table = ablation.run_ablation(config, tmp_path, tiny_data)
  assert (tmp_path / 'legacy.md').read_text() == table
  cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in table.splitlines()[2:6]]
  by_flag = {row[1]: row for row in cells}
  assert [row[1] for row in cells] == ['-', 'augment.validation=False', 'data.split=identity', '-']
  for flag, name in (
    ('augment.validation=False', 'legacy_but_validation'),
    ('data.split=identity', 'legacy_but_split'),
  ):
    history = rows(tmp_path / name / 'seed0')
    best = min(history, key=lambda row: row['validation_loss'])
    figures = json.loads(next((tmp_path / name / 'seed0' / 'eval').glob('*/metrics.json')).read_text())
    leaky = flag.startswith('augment')
    assert by_flag[flag][4] == f'{best["validation_auc"] if leaky else figures["auc"]:.3f}'
    assert (by_flag[flag][7] == '-') == leaky
    assert (by_flag[flag][3] != '0') == leaky
  # What the released code reports is its augmented validation.
  history = rows(tmp_path / 'legacy' / 'seed0')
  best = min(history, key=lambda row: row['validation_loss'])
  assert cells[0][4:6] == [f'{best[f"validation_{name}"]:.3f}' for name in ('auc', 'balanced_accuracy')]
  files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*') if path.name != 'legacy.md'}
  assert ablation.run_ablation(config, tmp_path, tiny_data) == table
  assert {path: path.stat().st_mtime_ns for path in files} == files  # nothing is done again


def test_a_choice_that_leaves_one_class_is_told_before_training(tmp_path, tiny_data, tiny_choices):
  with pytest.raises(UserError, match=r'legacy, .*, ours: clips of one class alone .* --without=drop'):
    ablation.run_ablation(tiny_config(**{'data.exclude': ('fakes',)}), tmp_path / 'runs', tiny_data)
  assert not (tmp_path / 'runs').exists()
