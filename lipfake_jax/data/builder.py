"""The base of every dataset builder: videos that a builder lists become a TFDS dataset of clips.

In: a `Listing` of files on disk. Out: ArrayRecord shards of examples in one TFDS split and beside them a table of
what is known of each, with every video that gave no clip and its reason. Which of them train and which test is
a choice at reading (`splits`). Next stage: `dataset`.
"""

import abc
import collections
import contextlib
import dataclasses
import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from array_record.python import array_record_module
from tensorflow_datasets.core import file_adapters, utils

from lipfake_jax.clips import extraction, results
from lipfake_jax.clips.clips import Clip, Rejection, to_fields
from lipfake_jax.clips.features import features_of
from lipfake_jax.clips.whole_file import remove_abandoned
from lipfake_jax.core.clip_spec import SPECS, ClipSpec
from lipfake_jax.core.errors import UserError, exit_codes
from lipfake_jax.core.names import printable, shorten
from lipfake_jax.core.vocabulary import LABELS, VideoRecord
from lipfake_jax.data import splits
from lipfake_jax.data.contents import check_labels, digest_source, tell_changes
from lipfake_jax.data.listing import (
  STORED,
  UNEVEN_REJECTIONS,
  Listing,
  check_videos,
  layout_table,
  name_people,
  read_instructions,
)
from lipfake_jax.data.room import check_room, explain_stops

TEXTS = tuple(field.name for field in dataclasses.fields(VideoRecord) if field.name not in ('path', 'label'))
# Of a clip, see `clips.Clip`.
QUALITY = ('fps', 'duration', 'face_share', 'mouth_width', 'sharpness', 'mean_activity')
BESIDE = ('rate', 'hidden_share', 'left_out')  # for verdicts alone, not stored
FACTS = (*QUALITY, 'codec', 'width', 'height', 'track')  # in the table
GenerateMode = tfds.download.GenerateMode


@dataclasses.dataclass
class LipClipConfig(tfds.core.BuilderConfig):
  """A builder config: its clips' spec."""

  spec: ClipSpec = dataclasses.field(default_factory=ClipSpec)


CONFIGS = [
  LipClipConfig(name=name, description=f'{spec}{", with its sound" if spec.sound else ""}', spec=spec)
  for name, spec in SPECS.items()
]


class LipClipBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]  # untyped base
  """A builder gives `list_videos`, and as MANUAL_DOWNLOAD_INSTRUCTIONS its README.

  Attributes:
    BUILDER_CONFIGS: the one that is built where none is named; TFDS would build each that stands here.
    OTHER_CONFIGS: those that are built by name.
    PUBLISHED: number of videos in the complete set by (folder, label), for `layout_table`.
    OWN_SPLIT: whether its own list, if it has one, says how it is split where a user names no split.
  """

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES = {'1.0.0': 'Initial release.'}
  BUILDER_CONFIGS: Sequence[LipClipConfig] = CONFIGS[:1]
  OTHER_CONFIGS: Sequence[LipClipConfig] = CONFIGS[1:]
  PUBLISHED: Mapping[tuple[str, str], int] = {}
  OWN_SPLIT = False

  _download_config = tfds.download.DownloadConfig()

  def __init__(self, *, file_format=None, **kwargs):
    # Only ArrayRecord can be read at random and without TensorFlow, which training relies on.
    super().__init__(file_format=file_format or 'array_record', **kwargs)

  @abc.abstractmethod
  def list_videos(self, root: Path) -> Listing:
    """The dataset's videos below its root folder. Raises UserError where the layout is wrong."""

  @utils.classproperty
  @classmethod
  def builder_configs(cls) -> dict[str, LipClipConfig]:
    """All configs by their names."""
    return {config.name: config for config in (*cls.BUILDER_CONFIGS, *cls.OTHER_CONFIGS)}

  def survey(self, root: Path) -> Listing:
    """`list_videos`, checked. Raises UserError with what is wrong and how the layout should be."""
    try:
      if not root.is_dir():
        raise UserError(
          f'{root} is a file: name the folder that holds it' if root.exists() else f'there is no folder {root}'
        )
      listing = self.list_videos(root)
      named = [_presentable(video, self.name) for video in listing.videos]
      check_videos(root, named, listing.notes)
      copies = check_labels(named)
    except UserError as error:
      raise UserError(f'{self.name}: {error}.\n\n{self.MANUAL_DOWNLOAD_INSTRUCTIONS}') from error
    except OSError as error:
      raise UserError(f'{self.name}: {error.filename or root}: {error.strerror}') from error
    notes = {'contents under several names, each of which counts': copies} if copies else {}
    return Listing(name_people(named), listing.notes | notes)

  def source_dir(self, dl_manager: tfds.download.DownloadManager) -> Path:
    """The folder that holds the videos: --manual_dir."""
    try:
      return Path(dl_manager.manual_dir)
    except NotADirectoryError:
      return Path(dl_manager._manual_dir)  # what is wrong with it, `survey` says
    except AssertionError as error:
      where = f'{self.name}: the folder {dl_manager._manual_dir} is missing or empty'
      raise UserError(f'{where}.\n\n{self.MANUAL_DOWNLOAD_INSTRUCTIONS}') from error

  def download_and_prepare(self, **kwargs) -> None:
    """As in TFDS, but that a dataset which is there already must be of the same videos.

    Under the `tfds` command a user's mistake, a full disk and Ctrl-C end with a message and an exit code, without a
    traceback.
    """
    config = self._download_config = kwargs.get('download_config') or tfds.download.DownloadConfig()
    is_command = Path(sys.argv[0]).stem == 'tfds'
    with exit_codes() if is_command else contextlib.nullcontext(), explain_stops(self.data_path), _plain_records():
      reused = config.download_mode == GenerateMode.REUSE_DATASET_IF_EXISTS and self.data_path.exists()
      if reused and config.manual_dir:
        self._check_source(self.source_dir(self._make_download_manager(kwargs.get('download_dir'), config)))
      super().download_and_prepare(**kwargs)

  def _check_source(self, root: Path) -> None:
    """Raises UserError where the dataset that is there is of other videos than those below the folder."""
    videos, metadata = self.survey(root).videos, self.info.metadata
    if metadata.get('source') != digest_source(videos, self.builder_config.spec):
      raise UserError(
        f'{self.name}: {self.data_path} was not built of what {root} holds now'
        f' ({tell_changes(metadata, videos)}): build with --overwrite to replace it, or choose another --data_dir'
      )

  def _info(self) -> tfds.core.DatasetInfo:
    return self.dataset_info_from_configs(
      features=clip_features(self.builder_config.spec),
      supervised_keys=('clip', 'label'),
      metadata=tfds.core.MetadataDict(),
      disable_shuffling=True,  # the table's rows are the stored clips, in their order
    )

  def _split_generators(self, dl_manager):
    root = self.source_dir(dl_manager)
    listing = self.survey(root)
    split = 'official' if self.OWN_SPLIT and any(video.official for video in listing.videos) else 'identity'
    print(_tell_config(self))
    print(layout_table(listing, self.PUBLISHED))
    print(splits.split_table([vars(video) for video in listing.videos], split))
    caches = self._extract([video.path for video in listing.videos])
    spec = self.builder_config.spec
    check_room(Path(self._data_dir_root), caches)
    # Filled while examples are written; TFDS stores it after them.
    table: dict[str, list] = {name: [] for name in ('clip', 'label', *TEXTS, 'sha256', *FACTS)}
    known = {'spec': spec.fields(), 'default_split': split, 'source': digest_source(listing.videos, spec)}
    self.info.metadata.update(known, clips=table, rejections=[])
    return {STORED: self._generate_examples(listing.videos, caches, root)}

  def _generate_examples(
    self, videos: Sequence[VideoRecord], caches: Sequence[Path], root: Path
  ) -> Iterator[tuple[int, dict]]:
    table, rejections = self.info.metadata['clips'], self.info.metadata['rejections']
    passing = []
    for number, (video, cache) in enumerate(zip(videos, caches, strict=True)):
      result = results.load_result(cache, video.key)
      if isinstance(result, Rejection):
        passing += [f'{video.key} ({result.detail})'] * result.passing
        rejections.append({**_texts(video), 'reason': result.reason, 'detail': result.detail})
        continue
      # Ascending, and all over TFDS's range of keys, which it cuts into equal pieces to hold one in memory at a time.
      first_key = (number << 128) // len(videos)
      for position, clip in enumerate(result):
        row = {'clip': clip.key, **_texts(video), 'sha256': cache.stem, **{name: getattr(clip, name) for name in FACTS}}
        for name, column in table.items():
          column.append(row[name])
        yield first_key + position, to_example(clip, video)
    counts = count_rejections(videos, rejections)
    self.info.metadata['rejection_counts'] = counts
    print(rejection_table(counts))
    if passing:
      print(
        f'warning: {len(passing)} were rejected for reasons that lie outside of them, {shorten(passing)}: mend that,'
        ' and build again with --overwrite'
      )
    if not table['clip']:
      raise UserError(
        f'{self.name}: none of the {len(videos)} videos below {root} gives a clip; the table above says why'
      )

  def _extract(self, paths: list[Path]) -> list[Path]:
    """The cache file of each video; by Beam where --beam_pipeline_options name a pipeline, else by local processes."""
    spec, cache_dir = self.builder_config.spec, Path(self._data_dir_root) / 'clip_cache'
    config = self._download_config
    if not (config.beam_options or config.beam_runner):
      return extraction.extract_videos(paths, spec, cache_dir)
    from lipfake_jax.clips.beam import extract_on_beam

    jobs = extraction.plan_jobs(paths, spec, cache_dir)
    extract_on_beam(extraction.unfinished(jobs), spec, config.beam_runner, config.beam_options)
    remove_abandoned(cache_dir)
    return [clips for _, clips, _ in jobs]


class _PlainRecords(file_adapters.ArrayRecordFileAdapter):
  """TFDS's ArrayRecord files without compression, for which it has no option.

  Compressed clips of real videos take two thirds of the room, and are read five times slower.
  """

  @classmethod
  def write_examples(cls, path, iterator):
    writer = array_record_module.ArrayRecordWriter(str(path), 'group_size:1,uncompressed')
    for _, example in iterator:
      writer.write(example)
    writer.close()


@contextlib.contextmanager
def _plain_records() -> Iterator[None]:
  """Has TFDS write ArrayRecord files by `_PlainRecords`."""
  adapters, name = file_adapters.ADAPTER_FOR_FORMAT, file_adapters.FileFormat.ARRAY_RECORD
  usual = adapters[name]
  adapters[name] = _PlainRecords
  try:
    yield
  finally:
    adapters[name] = usual


def _tell_config(builder: LipClipBuilder) -> str:
  others = [name for name in builder.builder_configs if name != builder.builder_config.name]
  return f'config {builder.builder_config.name}' + (f'; others by --config=NAME: {", ".join(others)}' if others else '')


def create_builder(dataset: str, config: str | None = None, data_dir: str | None = None) -> LipClipBuilder:
  """The builder of a dataset by its name.

  Raises:
    UserError: there is no such builder, or it has no such config.
  """
  read_instructions(dataset)
  builder = importlib.import_module(f'data_builders.{dataset}.{dataset}_dataset_builder').Builder
  names = list(builder.builder_configs)
  if config is not None and not builder.get_builder_config(config):
    raise UserError(f'{dataset}: config {config!r} is none of {", ".join(names)}')
  return builder(config=config or names[0], data_dir=data_dir)


def find_data_dir(data_dir: str | None) -> str:
  """Where datasets are kept: TFDS's folder where none is named."""
  return str(Path(data_dir or tfds.core.constants.DATA_DIR).expanduser())


def clip_features(spec: ClipSpec) -> tfds.features.FeaturesDict:
  """The features of an example; T frames, see `clips.Clip` and `VideoRecord`."""
  t = spec.frames
  return tfds.features.FeaturesDict(
    {
      # Raw bytes: without the encoding every pixel is stored as a 64-bit varint and read 60 times slower.
      **{
        feature.name: tfds.features.Tensor(shape=feature.shape(spec), dtype=feature.dtype, encoding='bytes')
        for feature in features_of(spec)
      },
      'label': tfds.features.ClassLabel(names=LABELS),
      **{name: tfds.features.Text() for name in TEXTS},
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


def to_example(clip: Clip, video: VideoRecord) -> dict[str, Any]:
  """One example of `clip_features`; its key is the video's, with '#2', '#3' for further clips."""
  fields = {name: value for name, value in to_fields(clip).items() if name not in BESIDE}
  return {**_texts(video), **fields, 'key': clip.key}


def count_rejections(
  videos: Sequence[VideoRecord], rejections: Sequence[Mapping[str, str]]
) -> dict[str, dict[str, int]]:
  """Videos, accepted ones and rejections by reason, each by class: {'videos': {'real': 3, 'fake': 4}, ...}."""
  listed = collections.Counter(video.label for video in videos)
  dropped = collections.Counter(rejection['label'] for rejection in rejections)
  reasons = collections.Counter((rejection['reason'], rejection['label']) for rejection in rejections)
  rows = {'videos': listed, 'accepted': listed - dropped}
  for reason in sorted({reason for reason, _ in reasons}):
    rows[f'rejected: {reason}'] = collections.Counter({label: reasons[reason, label] for label in LABELS})
  return {name: {label: row[label] for label in LABELS} for name, row in rows.items()}


def rejection_table(counts: dict[str, dict[str, int]]) -> str:
  """Counts for people, with a warning where one class lost more: dropping is not neutral (PAPER section 6)."""
  lines = [f'{"":24}{"real":>8}{"fake":>8}']
  lines += [f'{name:24}{row["real"]:8}{row["fake"]:8}' for name, row in counts.items()]
  shares = [1 - counts['accepted'][label] / max(counts['videos'][label], 1) for label in LABELS]
  if all(counts['videos'].values()) and abs(shares[0] - shares[1]) > UNEVEN_REJECTIONS:
    lost = f'{shares[0]:.1%} of the reals and {shares[1]:.1%} of the fakes'
    lines.append(f'warning: {lost} were rejected: what remains may differ between the classes by more than their label')
  return '\n'.join(lines)


def _presentable(video: VideoRecord, dataset: str) -> VideoRecord:
  """The record with its dataset's name, and texts that any file or terminal takes, whatever its own file is called."""
  texts: dict[str, Any] = {name: printable(getattr(video, name)) for name in TEXTS}
  return dataclasses.replace(video, **{**texts, 'dataset': video.dataset or dataset})


def _texts(video: VideoRecord) -> dict[str, str]:
  """What is known of a video before it is opened."""
  return {'label': video.label, **{name: getattr(video, name) for name in TEXTS}}
