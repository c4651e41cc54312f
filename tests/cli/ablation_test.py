"""The arguments of the ablation, those of its config among them."""

import pytest

from lipfake_jax.cli.ablation import load_config
from lipfake_jax.cli.main import main


def test_flags_change_fields_of_the_config():
  config = load_config('configs/paper/legacy.py', ['--config.train.epochs=3', '--config.data.exclude=("a",)'])
  assert (config.train.epochs, config.data.exclude, config.data.split) == (3, ('a',), 'paper')


@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    (['--workdir=x'], 'arguments are required: --config'),
    (['--config=configs/none.py', '--workdir=x'], 'configs/none.py'),
    (['--config=configs/demo.py', '--workdir=x', '--config.trian=3'], 'trian'),
    (['--config=configs/demo.py', '--workdir=x', '--config.train.epochs=many'], 'many'),
    (['--config=configs/demo.py', '--workdir=x', '--seeds=a'], "argument --seeds: invalid seeds value: 'a'"),
    (['--config=configs/demo.py', '--workdir=x', '--start=mine'], "invalid choice: 'mine'"),
    (['--config=configs/demo.py', '--workdir=x', '--seed=1'], 'unrecognized arguments: --seed=1; see lipfake ablation'),
    (['--config=configs/demo.py', '--workdir=x', '--without=flow'], 'leave out some of per_frame, frozen'),
    (['--config=configs/demo.py'], 'arguments are required: --workdir'),
  ],
)
def test_wrong_arguments_are_told(arguments, message, capsys):
  with pytest.raises(SystemExit) as end:
    main(['ablation', *arguments])
  assert end.value.code == 2
  assert message in capsys.readouterr().err
