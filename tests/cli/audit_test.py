"""The splits of a built dataset and their leaks, as the command prints them."""

import pytest

from lipfake_jax.cli.main import main


def test_prints_each_split_and_what_leaks(tiny_data, capsys):
  main(['audit', 'tiny_clips', '--config=tiny', f'--data_dir={tiny_data}'])
  identity, official, paper = capsys.readouterr().out.split('\n\nsplit ')
  assert 'split identity' in identity
  assert 'same person' not in identity + official
  assert official.startswith('official')
  assert paper.startswith('paper_leaky')
  assert 'same person' in paper  # a person's real and fake are drawn apart
  assert ' in test also in train: ' in paper


def test_one_split_alone(tiny_data, capsys):
  main(['audit', 'tiny_clips', '--config=tiny', f'--data_dir={tiny_data}', '--split=official'])
  shown = capsys.readouterr().out
  assert shown.startswith('split official')
  assert shown.count('split ') == 1
  assert 'no leak found' in shown


@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    (['xm2vts'], 'tfds build data_builders/xm2vts'),
    (['tiny_clips', '--config=tiny', '--split=person'], "split 'person': choose one of identity, official, paper"),
  ],
)
def test_what_is_wrong_is_told_with_the_remedy(arguments, message, tiny_data, capsys):
  with pytest.raises(SystemExit) as stop:
    main(['audit', *arguments, f'--data_dir={tiny_data}'])
  assert stop.value.code == 2
  assert message in capsys.readouterr().err
