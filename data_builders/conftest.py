"""What the builders' tests share: miniatures of the datasets, and the `tfds` command."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow_datasets as tfds

from data_builders.make_dummy import load_dummy, make_dummy
from lipfake_jax.data.builder import create_builder
from lipfake_jax.data.listing import Listing

TFDS = Path(sys.executable).with_name('tfds')
ROOT = Path(__file__).parents[1]


@pytest.fixture
def names(tmp_path) -> Callable[[str], Path]:
  """A function that makes the miniature of a dataset with empty files for videos: enough to list them."""
  return lambda dataset: make_dummy(load_dummy(dataset), tmp_path / dataset, empty=True)


@pytest.fixture
def survey(tmp_path) -> Callable[..., Listing]:
  """A function that lists a folder as a builder does: `survey(dataset, root, config)`."""

  def listing(dataset: str, root: Path, config: str | None = None) -> Listing:
    return create_builder(dataset, config, str(tmp_path / 'data')).survey(root)

  return listing


@pytest.fixture(scope='session')
def data_dir(tmp_path_factory) -> Path:
  """Where the miniatures are built: one folder, so that a union finds what was extracted before."""
  return tmp_path_factory.mktemp('data')


@pytest.fixture(scope='session')
def miniature(tmp_path_factory) -> Callable[[str], Path]:
  """A function that renders the miniature of a dataset, once."""
  root = tmp_path_factory.mktemp('miniatures')

  def render(dataset: str) -> Path:
    folder = root / dataset
    return folder if folder.exists() else make_dummy(load_dummy(dataset), folder)

  return render


def touch(root: Path, *names: str) -> Path:
  """Makes empty files below a folder."""
  for name in names:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).touch()
  return root


def tfds_command(dataset: str, *arguments: str) -> list[str]:
  """`tfds build` of a dataset, to be run in ROOT."""
  return [str(TFDS), 'build', f'data_builders/{dataset}', *arguments]


def tfds_build(dataset: str, *arguments: str) -> subprocess.CompletedProcess:
  """Runs the `tfds` command as a user does."""
  return subprocess.run(tfds_command(dataset, *arguments), capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.fixture(scope='session')
def build(miniature, data_dir) -> Callable[..., list[dict]]:
  """A function that builds a miniature by the `tfds` command, and reads its examples."""

  def run(dataset: str, config: str = 'flow_lips_60x64') -> list[dict]:
    done = tfds_build(dataset, f'--config={config}', f'--manual_dir={miniature(dataset)}', f'--data_dir={data_dir}')
    assert done.returncode == 0, done.stderr
    builder = tfds.core.read_only_builder.builder_from_files(f'{dataset}/{config}', data_dir=str(data_dir))
    assert builder.info.metadata['rejections'] == []
    return [
      {name: value.decode() if isinstance(value, bytes) else value for name, value in row.items()}
      for row in builder.as_data_source('clips')
    ]

  return run
