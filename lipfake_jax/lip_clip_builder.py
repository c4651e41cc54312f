"""The base of every dataset builder: videos that a builder lists become a TFDS dataset of clips.

In: `VideoRecord`s of files on disk. Out: ArrayRecord shards of examples, and, stored with them, every video that gave
no clip, with its reason. Next stage: `input_pipeline`.
"""

import abc
import collections
import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from lipfake_jax import extraction, splits
from lipfake_jax.clip_spec import SPECS, ClipSpec
from lipfake_jax.clips import Clip, Rejection
from lipfake_jax.errors import UserError

LABELS = ('real', 'fake')  # class 0 and class 1; fake is the positive one
QUALITY = ('fps', 'face_share', 'mouth_width', 'sharpness', 'mean_activity')  # one number a clip, see `clips.Clip`
UNEVEN = 0.05  # a difference of the classes' shares of rejected videos that is worth a warning


@dataclasses.dataclass(frozen=True)
class VideoRecord:
  """One video of a dataset.

  Attributes:
    path: the file.
    key: its name in the dataset: unique, and the same wherever the dataset lies (the path below its root).
    label: 'real' or 'fake'.
    split: 'train', 'validation' or 'test'.
    identity: the person whose face and head it is, '' if unknown.
    method: how a fake was made; 'original' for reals.
  """

  path: Path
  key: str
  label: str
  split: str
  identity: str = ''
  method: str = ''


@dataclasses.dataclass
class LipClipConfig(tfds.core.BuilderConfig):
  """A builder config: its clips' spec."""

  spec: ClipSpec = dataclasses.field(default_factory=ClipSpec)


CONFIGS = [LipClipConfig(name=name, description=f'{spec}', spec=spec) for name, spec in SPECS.items()]


class LipClipBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]  # untyped base
  """A builder gives MANUAL_DOWNLOAD_INSTRUCTIONS and `list_videos`."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES = {'1.0.0': 'Initial release.'}
  BUILDER_CONFIGS: Sequence[LipClipConfig] = CONFIGS

  _download_config: tfds.download.DownloadConfig | None = None

  def __init__(self, *, file_format=None, **kwargs):
    # Only ArrayRecord can be read at random and without TensorFlow, which training relies on.
    super().__init__(file_format=file_format or 'array_record', **kwargs)

  @abc.abstractmethod
  def list_videos(self, root: Path) -> list[VideoRecord]:
    """The dataset's videos below its root folder. Raises UserError where the layout is wrong."""

  def source_dir(self, dl_manager: tfds.download.DownloadManager) -> Path:
    """The folder that holds the videos: --manual_dir."""
    try:
      return Path(dl_manager.manual_dir)
    except AssertionError as error:
      where = f'{self.name}: the folder {dl_manager._manual_dir} is missing or empty'
      raise UserError(f'{where}.\n{self.MANUAL_DOWNLOAD_INSTRUCTIONS}') from error

  def download_and_prepare(self, **kwargs) -> None:
    """As in TFDS; under the `tfds` command a user's mistake ends with its message and exit code 2, not a traceback."""
    self._download_config = kwargs.get('download_config')
    try:
      super().download_and_prepare(**kwargs)
    except UserError as error:
      if Path(sys.argv[0]).stem != 'tfds':
        raise
      print(f'error: {error}', file=sys.stderr)
      sys.exit(2)

  def _info(self) -> tfds.core.DatasetInfo:
    return self.dataset_info_from_configs(
      features=clip_features(self.builder_config.spec),
      supervised_keys=('clip', 'label'),
      metadata=tfds.core.MetadataDict(),
    )

  def _split_generators(self, dl_manager):
    root = self.source_dir(dl_manager)
    records = self.list_videos(root)
    if not records:
      raise UserError(f'{self.name}: no video below {root}.\n{self.MANUAL_DOWNLOAD_INSTRUCTIONS}')
    _check_records(records)
    caches = self._extract([record.path for record in records])
    rejections = _rejections(records, caches)
    counts = count_rejections(records, rejections)
    self.info.metadata.update(
      rejections=rejections, rejection_counts=counts, spec=dataclasses.asdict(self.builder_config.spec)
    )
    print(rejection_table(counts))
    rejected = {rejection['key'] for rejection in rejections}
    kept = [(record, cache) for record, cache in zip(records, caches, strict=True) if record.key not in rejected]
    if not kept:
      raise UserError(
        f'{self.name}: none of the {len(records)} videos below {root} gives a clip; the table above says why'
      )
    parts = [part for part in splits.PARTS if any(record.split == part for record, _ in kept)]
    return {part: self._generate_examples([pair for pair in kept if pair[0].split == part]) for part in parts}

  def _generate_examples(self, kept: list[tuple[VideoRecord, Path]]) -> Iterator[tuple[str, dict]]:
    for record, cache in kept:
      for clip in extraction.load_result(cache, record.key):  # type: ignore[union-attr]  # rejected ones are out
        yield clip.key, to_example(clip, record)

  def _extract(self, paths: list[Path]) -> list[Path]:
    """The cache file of each video; by Beam where --beam_pipeline_options name a pipeline, else by local processes."""
    spec, cache_dir = self.builder_config.spec, Path(self._data_dir_root) / 'clip_cache'
    config = self._download_config
    if config is None or not (config.beam_options or config.beam_runner):
      return extraction.extract_videos(paths, spec, cache_dir)
    from lipfake_jax.beam_extraction import extract_on_beam

    jobs = extraction.plan_jobs(paths, spec, cache_dir)
    extract_on_beam(extraction.unfinished(jobs), spec, config.beam_runner, config.beam_options)
    return [clips for _, clips, _ in jobs]


def read_instructions(builder_file: str) -> str:
  """The README beside a builder's module: what to download, where to put it, and the line that builds it."""
  return Path(builder_file).with_name('README.md').read_text()


def clip_features(spec: ClipSpec) -> tfds.features.FeaturesDict:
  """The features of an example; T frames of S x S pixels, see `clips.Clip`."""
  t, s = spec.frames, spec.size
  return tfds.features.FeaturesDict(
    {
      # Raw bytes: without the encoding every pixel is stored as a 64-bit varint and read 60 times slower.
      'clip': tfds.features.Tensor(shape=(t, s, s, 3), dtype=np.uint8, encoding='bytes'),
      'label': tfds.features.ClassLabel(names=LABELS),
      'key': tfds.features.Text(),
      'identity': tfds.features.Text(),
      'method': tfds.features.Text(),
      'indices': tfds.features.Tensor(shape=(t,), dtype=np.int32),
      'times': tfds.features.Tensor(shape=(t,), dtype=np.float32),
      'activity': tfds.features.Tensor(shape=(t,), dtype=np.float32),
      'gaps': tfds.features.Tensor(shape=(t,), dtype=np.float32),
      'boxes': tfds.features.Tensor(shape=(t, 4), dtype=np.float32),
      'angles': tfds.features.Tensor(shape=(t,), dtype=np.float32),
      'track': np.int32,
      'codec': tfds.features.Text(),
      'width': np.int32,
      'height': np.int32,
      **{name: np.float32 for name in QUALITY},
    }
  )


def to_example(clip: Clip, record: VideoRecord) -> dict:
  """One example of `clip_features`."""
  fields = {name: value for name, value in vars(clip).items() if name != 'frames'}
  return {'clip': clip.frames, 'label': record.label, 'identity': record.identity, 'method': record.method, **fields}


def count_rejections(records: Sequence[VideoRecord], rejections: Sequence[dict[str, str]]) -> dict[str, dict[str, int]]:
  """Videos, accepted ones and rejections by reason, each by class: {'videos': {'real': 3, 'fake': 4}, ...}."""
  videos = collections.Counter(record.label for record in records)
  dropped = collections.Counter(rejection['label'] for rejection in rejections)
  reasons = collections.Counter((rejection['reason'], rejection['label']) for rejection in rejections)
  rows = {'videos': videos, 'accepted': videos - dropped}
  for reason in sorted({reason for reason, _ in reasons}):
    rows[f'rejected: {reason}'] = collections.Counter({label: reasons[reason, label] for label in LABELS})
  return {name: {label: row[label] for label in LABELS} for name, row in rows.items()}


def rejection_table(counts: dict[str, dict[str, int]]) -> str:
  """Counts for people, with a warning where one class lost more: dropping is not neutral (PAPER section 6)."""
  lines = [f'{"":24}{"real":>8}{"fake":>8}']
  lines += [f'{name:24}{row["real"]:8}{row["fake"]:8}' for name, row in counts.items()]
  shares = [1 - counts['accepted'][label] / max(counts['videos'][label], 1) for label in LABELS]
  if all(counts['videos'].values()) and abs(shares[0] - shares[1]) > UNEVEN:
    lost = f'{shares[0]:.1%} of the reals and {shares[1]:.1%} of the fakes'
    lines.append(f'warning: {lost} were rejected: what remains may differ between the classes by more than their label')
  return '\n'.join(lines)


def _rejections(records: Sequence[VideoRecord], caches: Sequence[Path]) -> list[dict[str, str]]:
  found = []
  for record, cache in zip(records, caches, strict=True):
    result = extraction.load_result(cache, record.key)
    if isinstance(result, Rejection):
      found.append({**vars(result), 'label': record.label, 'split': record.split})
  return found


def _check_records(records: Sequence[VideoRecord]) -> None:
  """Keys must be unique; a person in two parts is allowed, where a list says so, and told."""
  doubles = [key for key, count in collections.Counter(r.key for r in records).items() if count > 1]
  if doubles:
    raise UserError(f'{len(doubles)} videos are listed twice, the first is {doubles[0]}: list each file once')
  members = {part: {r.identity for r in records if r.split == part and r.identity} for part in splits.PARTS}
  shared = sorted(splits.shared_identities(members))
  if shared:
    names = ', '.join(shared[:5]) + (', ...' if len(shared) > 5 else '')
    print(f'warning: {len(shared)} identities are in more than one part ({names}): test figures will flatter')
