"""The arguments of `lipfake adapt`."""

import pytest

from lipfake_jax.cli.main import main


@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    ([], 'name --real=FOLDER, --fake=FOLDER or both'),
    (['--real=r', '--seed=1'], 'unrecognized arguments: --seed=1; see lipfake adapt --help'),
    (['--real=r', '--config.trian=1'], 'trian'),
    (['--real=none'], '--real=none: there is no such folder'),
  ],
)
def test_wrong_arguments_are_told(arguments, message, capsys):
  with pytest.raises(SystemExit) as end:
    main(['adapt', *arguments])
  assert end.value.code == 2
  assert message in capsys.readouterr().err
