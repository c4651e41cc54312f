"""What a clip is: everything that changes its bytes, and the names that such choices go by.

Datasets, configs and checkpoints name or store a `ClipSpec`; `clips.analysis` and `clips.clips` carry it out.
"""

import dataclasses
from typing import Any

from lipfake_jax.core.errors import UserError

# What the fields of a `ClipSpec` choose from.
REGIONS = ('lips', 'lower_face', 'face')
ALIGNMENTS = ('aligned', 'box')
RULES = ('uniform', 'top_k', 'even', 'contiguous')
FLOW_ON = (*REGIONS, 'frame')
BELOW = ('fill', 'drop')
FACES = ('largest', 'most_active_mouth', 'all')

# What may be done to a video's frames before anything is looked for in them, and the number that stands for each level,
# 1 first: DeeperForensics-1.0 (Jiang et al., CVPR 2020), as its released code has them. See `perturbations`.
PERTURBATIONS: dict[str, tuple[float, ...]] = {
  'saturation': (0.4, 0.3, 0.2, 0.1, 0.0),  # share of the colour that is kept
  'contrast': (0.85, 0.725, 0.6, 0.475, 0.35),  # share of the brightness that is kept
  'blocks': (16, 32, 48, 64, 80),  # gray blocks of 8x8 px, for each 256 px of the shorter side
  'noise': (0.001, 0.002, 0.005, 0.01, 0.05),  # variance in Y, Cb and Cr, where 1 is their whole range
  'blur': (7, 9, 13, 17, 21),  # side of the Gaussian kernel, px
  'pixelation': (2, 3, 4, 5, 6),  # factor by which the picture is made smaller
  'h264': (30, 32, 35, 38, 40),  # constant rate factor of x264
  'reencode': (23,),  # the same, at x264's default: no perturbation but a control, see `robustness`
}


@dataclasses.dataclass(frozen=True)
class ClipSpec:
  """What a clip holds: everything that changes its bytes (PAPER section 2).

  Attributes:
    frames: frames in a clip, T.
    size: side of the square crop in pixels, S.
    region: what the crop shows: 'lips', 'lower_face' or 'face'.
    alignment: 'aligned' turns and scales the crop with the head; 'box' cuts around the landmarks (the paper's).
    rule: which frames are chosen: 'top_k', 'even', 'uniform' or 'contiguous', see `selection`.
    flow_on: the image whose activity counts: the crop of a region (at `size`), or the whole 'frame'.
    threshold: activity above which a frame is active, pixels of that image per frame.
    below: with fewer active frames than `frames`: 'fill' (ours) or 'drop' (the paper's).
    normalise: activity in pixels at a mouth width of 64, per 1/25 s, so that it means the same at any size and rate.
    faces: of several people, the 'largest' face, the 'most_active_mouth', or a clip each ('all').
    clips: windows a track, for 'contiguous'.
    rate: frames per second of 'contiguous'.
    landmark_stride: frames from one look at the landmarks to the next; 1 looks at each (exact, and slower).
    screen: measure the flow in full only where a look at half the size leaves doubt; False measures it everywhere.
    motion: store how a video codec sees the face move, too, see `clips.features.codec_motion`.
    perturbation: 'NAME:LEVEL' of PERTURBATIONS, done to all frames before faces are looked for; '' does nothing.
    sound: store what is heard while the clip's frames are seen, too, see `clips.features.sound`.
  """

  frames: int = 60
  size: int = 64
  region: str = 'lips'
  alignment: str = 'aligned'
  rule: str = 'top_k'
  flow_on: str = 'lips'
  threshold: float = 1.0
  below: str = 'fill'
  normalise: bool = False
  faces: str = 'largest'
  clips: int = 1
  rate: float = 25.0
  landmark_stride: int = 3
  screen: bool = True
  motion: bool = False
  perturbation: str = ''
  sound: bool = dataclasses.field(default=False, repr=False)

  def __post_init__(self):
    choices = {
      'region': REGIONS,
      'alignment': ALIGNMENTS,
      'rule': RULES,
      'flow_on': FLOW_ON,
      'below': BELOW,
      'faces': FACES,
    }
    for field, known in choices.items():
      if getattr(self, field) not in known:
        raise UserError(f'clip {field}={getattr(self, field)!r}: choose one of {", ".join(known)}')
    if self.frames < 1 or self.size < 8:
      raise UserError(f'clip frames={self.frames}, size={self.size}: at least 1 frame of 8 pixels is needed')
    if self.landmark_stride < 1 or self.clips < 1 or self.rate <= 0:
      raise UserError(
        f'clip landmark_stride={self.landmark_stride}, clips={self.clips}, rate={self.rate}: at least 1 each'
      )
    if self.clips > 1 and self.rule != 'contiguous':
      raise UserError(f"clip clips={self.clips}: several clips a video are cut by rule='contiguous' only")
    if self.perturbation:
      parse_perturbation(self.perturbation)

  def fields(self) -> dict[str, Any]:
    """What datasets store and caches go by: a perturbation and sound only where they are asked for."""
    return {name: value for name, value in vars(self).items() if name not in ('perturbation', 'sound') or value}

  @property
  def measures_another_crop(self) -> bool:
    """Whether the flow is measured on a crop that is not the clip's."""
    return self.flow_on not in (self.region, 'frame')


def parse_perturbation(perturbation: str) -> tuple[str, float]:
  """'NAME:LEVEL' -> the name, and the number that stands for the level. Raises UserError where there is none."""
  name, _, level = perturbation.partition(':')
  known = PERTURBATIONS.get(name, ())
  if level not in map(str, range(1, len(known) + 1)):
    levels = ', '.join(f'{name}:1-{len(numbers)}' for name, numbers in PERTURBATIONS.items())
    raise UserError(f'perturbation {perturbation!r}: choose one of {levels}')
  return name, known[int(level) - 1]


# What clips are, under the names that datasets, configs and checkpoints use. The first is the default.
SPECS = {
  'flow_lips_60x64': ClipSpec(),
  'flow_lips_even_60x64': ClipSpec(rule='even'),
  'flow_lips_drop_60x64': ClipSpec(below='drop'),
  'flow_lips_even_drop_60x64': ClipSpec(rule='even', below='drop'),
  'flow_lips_box_60x64': ClipSpec(alignment='box', landmark_stride=1),
  'flow_lips_box_drop_60x64': ClipSpec(alignment='box', landmark_stride=1, below='drop'),
  'flow_lips_box_even_60x64': ClipSpec(alignment='box', landmark_stride=1, rule='even'),
  'flow_lips_box_even_drop_60x64': ClipSpec(alignment='box', landmark_stride=1, rule='even', below='drop'),
  'flow_frame_60x64': ClipSpec(flow_on='frame'),
  'flow_lips_motion_60x64': ClipSpec(motion=True),
  'flow_lower_face_60x64': ClipSpec(region='lower_face'),
  'uniform_face_60x64': ClipSpec(region='face', alignment='box', rule='uniform', landmark_stride=1),
  'uniform_lips_30x32': ClipSpec(frames=30, size=32, alignment='box', rule='uniform', landmark_stride=1),
  'contiguous_lips_60x64': ClipSpec(rule='contiguous'),
  'contiguous_lips_5x64': ClipSpec(rule='contiguous', frames=5, clips=12),
  'contiguous_lower_face_16x128': ClipSpec(rule='contiguous', region='lower_face', frames=16, size=128, clips=5),
  'contiguous_lips_sound_60x64': ClipSpec(rule='contiguous', clips=2, sound=True),
  'contiguous_face_sound_75x64': ClipSpec(rule='contiguous', region='face', frames=75, clips=2, sound=True),
  'contiguous_face_sound_75x224': ClipSpec(rule='contiguous', region='face', frames=75, size=224, clips=2, sound=True),
}
