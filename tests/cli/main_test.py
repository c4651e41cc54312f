"""What a user of `lipfake` sees first: the overview, the help of each command, and one line for what is wrong."""

import contextlib
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lipfake_jax.cli.main import COMMANDS, GROUPS, main

ROOT = Path(__file__).parents[2]


def shown(capsys, *arguments: str) -> str:
  with contextlib.suppress(SystemExit):  # argparse ends so after its help
    main(arguments)
  return capsys.readouterr().out


def refused(capsys, *arguments: str) -> str:
  """The only line of a refusal, which is told on standard error."""
  with pytest.raises(SystemExit) as stop:
    main(arguments)
  assert stop.value.code == 2
  told = capsys.readouterr()
  assert told.out == ''
  [line] = told.err.splitlines()
  return line


def test_the_overview_fits_a_terminal_and_names_each_command_once(capsys):
  lines = shown(capsys, '--help').splitlines()
  assert len(lines) <= 40  # of a window that is open for reading
  assert max(map(len, lines)) <= 80
  listed = [line.split()[0] for line in lines if line.startswith('  ')]
  assert tuple(listed) == COMMANDS
  assert [line for line in lines if line in GROUPS] == list(GROUPS)


def test_without_a_command_there_is_the_overview(capsys):
  assert shown(capsys) == shown(capsys, '-h') == shown(capsys, '--help')


def test_each_command_is_a_file_and_each_file_a_command():
  files = {path.stem for path in (ROOT / 'lipfake_jax' / 'cli').glob('*.py')}
  assert files == {*COMMANDS, '__init__', 'main', 'arguments'}


@pytest.mark.parametrize('command', COMMANDS)
def test_the_help_of_a_command_has_its_arguments_and_an_example(command, capsys):
  text = shown(capsys, command, '--help')
  assert text.startswith(f'usage: lipfake {command} ')
  assert f'\n  lipfake {command}' in text
  assert max(map(len, text.splitlines())) <= 90


def test_help_loads_none_of_the_libraries():
  """What makes it start at once; in a process of its own, where nothing is loaded yet."""
  code = """
import sys
before = set(sys.modules)
from lipfake_jax.cli.main import COMMANDS, main
for arguments in ([], *([name, '--help'] for name in COMMANDS)):
  try:
    main(arguments)
  except SystemExit:
    pass
loaded = {name.partition('.')[0] for name in set(sys.modules) - before}
print(*sorted(loaded - sys.stdlib_module_names), file=sys.stderr)"""
  done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=True)
  assert done.stderr.split() == ['lipfake_jax']


@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    (['inspekt'], "error: there is no command 'inspekt': choose one of detect, "),
    (['models', '--sped'], 'error: unrecognized arguments: --sped; see lipfake models --help'),
    (['models', '--batch_size=x'], "error: argument --batch_size: invalid int value: 'x'; see lipfake models --help"),
    (['controls'], 'error: the following arguments are required: RUN; see lipfake controls --help'),
    (['robustness', 'run'], 'error: the following arguments are required: --dataset; see lipfake robustness --help'),
    (['doctor', 'xm2vts', '--manual=x'], 'error: the following arguments are required: --manual_dir; see '),
  ],
)
def test_a_wrong_argument_is_one_line_that_says_where_help_is(arguments, message, capsys):
  assert refused(capsys, *arguments).startswith(message)


def test_the_console_script_is_this_command():
  script = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']['scripts']['lipfake']
  module, _, function = script.partition(':')
  assert getattr(importlib.import_module(module), function) is main
