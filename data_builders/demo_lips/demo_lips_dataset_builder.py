"""The built-in dataset: rendered talking faces."""

import csv
import dataclasses
import json
import subprocess
import sys
from pathlib import Path

from lipfake_jax.core.clip_spec import SPECS
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.builder import CONFIGS, LipClipBuilder, LipClipConfig
from lipfake_jax.data.listing import Listing, read_instructions


@dataclasses.dataclass
class DemoConfig(LipClipConfig):
  """null: fakes are rendered as reals."""

  null: bool = False


NULLS = [
  DemoConfig(name=f'{name}_null', description='Control: no fake is one.', spec=SPECS[name], null=True)
  for name in ('flow_lips_60x64', 'flow_lips_motion_60x64')
]


class Builder(LipClipBuilder):
  """Renders its videos below the data folder, then lists them."""

  MANUAL_DOWNLOAD_INSTRUCTIONS = read_instructions('demo_lips')
  OTHER_CONFIGS = [*CONFIGS[1:], *NULLS]
  OWN_SPLIT = True

  def source_dir(self, dl_manager) -> Path:
    """Where the videos are after this call. A process of its own renders them, free of TensorFlow."""
    null = getattr(self.builder_config, 'null', False)
    folder = Path(self._data_dir_root) / ('demo_videos_null' if null else 'demo_videos')
    request = json.dumps({'folder': str(folder), 'spec': {'null': null}})
    subprocess.run([sys.executable, '-m', 'lipfake_jax.demo.videos'], input=request, text=True, check=True)
    return folder

  def list_videos(self, root: Path) -> Listing:
    """The rows of videos.csv."""
    with open(root / 'videos.csv', newline='') as file:
      return Listing([_record(row, root) for row in csv.DictReader(file)])


def _record(row: dict[str, str], root: Path) -> VideoRecord:
  return VideoRecord(
    path=root / row['path'],
    key=row['path'],
    label=row['label'],
    identity=row['identity'],
    method=row['method'],
    official=row['split'],
    folder=row['split'],
  )
