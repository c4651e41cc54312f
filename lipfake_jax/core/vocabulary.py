"""The words that all rooms share: classes, parts, and what is known of a video before it is opened."""

import dataclasses
from pathlib import Path

LABELS = ('real', 'fake')  # class 0 and class 1; fake is the positive one
PARTS = ('train', 'validation', 'test')
ALL = 'all'  # every video, also those that a split leaves out
# Why a video gives no clip; the second line: see `clips.evidence`.
REASONS = (
  'unreadable', 'no_face', 'too_short', 'too_few_active', 'timeout',
  'rate_too_low', 'mouth_too_small', 'profile', 'mouth_hidden', 'still',
)  # fmt: skip
# What a video lets hear. absent: it has no stream of sound, or none that decodes; silent: nothing above -60 dB; short:
# half a second or more of the video is without, before or after it.
SOUNDS = ('absent', 'silent', 'short', 'heard')

Table = dict[str, list]  # columns by name, all of one length


@dataclasses.dataclass(frozen=True)
class VideoRecord:
  """One video of a dataset.

  Attributes:
    path: the file.
    key: its name in the dataset: unique, and the same wherever the dataset lies (the path below its root).
    label: 'real' or 'fake'.
    identity: the person whose face and head it is, '' if unknown.
    second_identity: of a swap, the person whose face was put in; several are joined by '+'.
    method: how a fake was made; 'original' for reals.
    original: key of the real video that a fake was made from, '' if unknown.
    official: 'train', 'validation' or 'test' by the set's own list, '' if it names none.
    group: persons who must be in one part, because each was swapped with the other alone; '' if there is no such tie.
    folder: what the set itself calls the part of it that the video lies in, whatever the spelling on disk.
    dataset: name of the builder, which `LipClipBuilder` fills in.
  """

  path: Path
  key: str
  label: str
  identity: str = ''
  second_identity: str = ''
  method: str = ''
  original: str = ''
  official: str = ''
  group: str = ''
  folder: str = ''
  dataset: str = ''
