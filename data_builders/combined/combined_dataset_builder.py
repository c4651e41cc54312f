"""The union of several datasets in one, each clip with the name of the set that it is from."""

from pathlib import Path

from lipfake_jax.core.clip_spec import SPECS
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.builder import LipClipBuilder, LipClipConfig, create_builder
from lipfake_jax.data.listing import Listing, read_instructions, wrong_layout


class Builder(LipClipBuilder):
  """`--manual_dir` is a folder with a folder (or link) for each dataset, named like its builder."""

  MANUAL_DOWNLOAD_INSTRUCTIONS = read_instructions('combined')
  BUILDER_CONFIGS = [LipClipConfig(name='celeb_df_v2+m2fred_wav2lip', description="The paper's union.")]
  OTHER_CONFIGS = []

  @classmethod
  def get_builder_config(cls, name: str, version=None) -> LipClipConfig | None:
    """Any union: 'a+b', or 'a+b-CONFIG' for another config of theirs than the default."""
    if '+' not in name:
      return None
    datasets, config = _parse(name)
    description = f'The union of {" and ".join(datasets)}.'
    return LipClipConfig(name=name, description=description, spec=SPECS[config])

  def list_videos(self, root: Path) -> Listing:
    """The videos of all datasets of the union, each listed by its own builder."""
    datasets, config = _parse(self.builder_config.name)
    videos: list[VideoRecord] = []
    notes: dict[str, list[str]] = {}
    for name in datasets:
      if not (root / name).is_dir():
        raise wrong_layout(root, f'the folder {name}')
      builder = create_builder(name, config, str(self._data_dir_root))
      listing = builder.survey(root / name)
      videos += listing.videos
      notes |= {f'{kind} ({name})': names for kind, names in listing.notes.items()}
    return Listing(videos, notes)


def _parse(name: str) -> tuple[list[str], str]:
  """'a+b-CONFIG' -> ['a', 'b'], 'CONFIG'; without it the default."""
  union, _, config = name.partition('-')
  config = config or next(iter(SPECS))
  if config not in SPECS:
    raise UserError(f'combined: config {config!r} is none of {", ".join(SPECS)}')
  return union.split('+'), config
