"""The extras of the package: what they ask for is what is pinned."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']['optional-dependencies']


def read_pins() -> dict[str, str]:
  """Version by name."""
  lines = [line.split(' ')[0] for line in (ROOT / 'requirements.txt').read_text().splitlines() if '==' in line]
  return {canonicalize_name(name): version for name, _, version in (line.partition('==') for line in lines)}


@pytest.mark.parametrize('extra', ['detect', 'train', 'sound'])
def test_an_extra_admits_the_pins(extra):
  pins = read_pins()
  wanted = [Requirement(text) for text in EXTRAS[extra] if not text.startswith('lipfake_jax')]
  refused = [str(needed) for needed in wanted if pins[canonicalize_name(needed.name)] not in needed.specifier]
  assert refused == []


def test_the_small_extra_has_neither_jax_nor_tensorflow():
  assert not [text for text in EXTRAS['detect'] if text.startswith(('jax', 'flax', 'tensorflow'))]
