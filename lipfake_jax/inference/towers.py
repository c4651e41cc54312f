"""Trained towers, opened: their best weights as a function that embeds clips, and the clips of videos for them.

In: a workdir of `training.contrastive`, and videos. Out: embeddings of what is seen and of what is heard. Next stages:
`inference.sync` and `inference.person`.
"""

import dataclasses
import functools
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from lipfake_jax.clips.clips import Clip, Rejection
from lipfake_jax.clips.survey import Facts, read_survey, save_rejection, survey_video
from lipfake_jax.clips.windows import MOST
from lipfake_jax.clips.workers import run_workers
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import SOUNDS
from lipfake_jax.data.batch_sizes import size_batches
from lipfake_jax.inference import checkpoints
from lipfake_jax.inference.parallel_eval import to_float
from lipfake_jax.models import TOWERS, create_towers

AT_ONCE = 8  # clips that are embedded together, at most
TIME_LIMIT_S = 6 * 3600.0  # for one video: what needs longer hangs

Embeddings = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Towers:
  """A trained run of towers.

  Attributes:
    workdir: of it.
    model: its module.
    embed: from looks [B, ...] and sounds [B, T, R, M], of any B, to 'look' and 'sound', float32 [B, ..., E].
    meta: what their checkpoint tells.
  """

  workdir: Path
  model: nn.Module
  embed: Callable[[np.ndarray, np.ndarray], Embeddings]
  meta: dict[str, Any]

  @property
  def spec(self) -> ClipSpec:
    """What their clips are."""
    return ClipSpec(**self.meta['clip'])


def open_towers(workdir: Path, name: str = '') -> Towers:
  """The run in a workdir.

  Args:
    workdir: of it.
    name: of `models.TOWERS`, which it must be; by default any.

  Raises:
    UserError: it has no checkpoint, a damaged one, or is of another model.
  """
  weights, meta = checkpoints.restore_best(workdir)
  found = meta['model']['name']
  if found not in TOWERS or name not in ('', found):
    wanted = name or ' or '.join(TOWERS)
    raise UserError(f'{workdir} holds a {found}: {wanted} is needed, see configs/{name or "av_sync"}.py')
  model = create_towers(found, meta['model']['arguments'])
  apply = jax.jit(lambda looks, sounds: model.apply(weights, to_float(looks), sounds))
  return Towers(workdir, model, functools.partial(_embed, apply), meta)


def embed_clips(towers: Towers, clips: Sequence[Clip]) -> Embeddings:
  """Embeddings of some clips, at least one: 'look' and 'sound', float32 [N, ..., E]."""
  look, sound = towers.model.inputs
  return towers.embed(*(np.stack([clip.features[name] for clip in clips]) for name in (look, sound)))


def name_sound(clip: Clip) -> str:
  """What there is to hear in a clip's video, one of `vocabulary.SOUNDS`."""
  return SOUNDS[int(clip.features['sound_state'][0])]


def survey_videos(
  videos: Sequence[Path], spec: ClipSpec, step: int | None = None
) -> Iterator[tuple[Facts, list[Clip]]]:
  """What is known of each video, and the windows of all its faces, in the order of the videos.

  Args:
    videos: files, which may be anything; each is looked at in a process of its own.
    spec: what a window is.
    step: moments from one window to the next; by default they adjoin.
  """
  with tempfile.TemporaryDirectory(prefix='lipfake-') as scratch:
    jobs = [(video, Path(scratch, f'{number:06}')) for number, video in enumerate(videos)]
    work = functools.partial(survey_video, most=MOST, stop=Path(scratch, 'stop'), progress=None, step=step)
    for job, outcome in run_workers(jobs, spec, work, min(len(jobs), len(os.sched_getaffinity(0))), TIME_LIMIT_S):
      if isinstance(outcome, Rejection):
        save_rejection(job[1], job[0], outcome)
    for _, folder in jobs:
      facts, groups = read_survey(folder)
      yield facts, [clip for group in groups for clip in group]


def _embed(apply: Callable, looks: np.ndarray, sounds: np.ndarray) -> Embeddings:
  found, first = [], 0
  for size in size_batches(len(looks), AT_ONCE):
    members = np.minimum(np.arange(first, first + size), len(looks) - 1)  # filled up with the last
    batch = {name: np.asarray(x) for name, x in apply(looks[members], sounds[members]).items() if name != 'scale'}
    found.append({name: x[: len(looks) - first] for name, x in batch.items()})
    first += size
  return {name: np.concatenate([batch[name] for batch in found]) for name in found[0]}
