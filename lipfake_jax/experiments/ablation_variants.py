"""What the paper's released code does and we do otherwise, and the configs that differ in one of these things.

In: a config, for data, model and training. Out: the config of each row of the table. Next stage: `ablation` trains it.
"""

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import ml_collections

from lipfake_jax.core.clip_spec import SPECS, ClipSpec
from lipfake_jax.core.errors import UserError

LEGACY, OURS = 'legacy', 'ours'


@dataclasses.dataclass(frozen=True)
class Choice:
  """One thing that is done in two ways.

  Attributes:
    name: of the folder of a run that differs in it.
    words: what we do.
    fields: of the config, or after 'clip.' of the `ClipSpec`: the released code's value, and ours.
  """

  name: str
  words: str
  fields: Mapping[str, tuple[Any, Any]]


CHOICES = (
  Choice('per_frame', 'one draw of the augmentation a clip, not a frame', {'augment.per_frame': (True, False)}),
  Choice('frozen', 'augmentation drawn anew each epoch', {'augment.frozen': (True, False)}),
  Choice('validation', 'validation not augmented', {'augment.validation': (True, False)}),
  Choice('split', 'parts by person, a test part of its own', {'data.split': ('paper', 'identity')}),
  Choice('drop', 'few active frames: filled up, not dropped', {'clip.below': ('drop', 'fill')}),
  Choice('even', 'the most active frames, not evenly among them', {'clip.rule': ('even', 'top_k')}),
  Choice(
    'box',
    'crops that follow the head, not the lips',
    # A box follows each landmark's jitter, which cannot be interpolated: it is looked at in every frame.
    {'clip.alignment': ('box', 'aligned'), 'clip.landmark_stride': (1, 3)},
  ),
)
# The paper's formula, under which the released code's `drop` leaves no video: only ours can be spoiled by it.
WHOLE_FRAME = Choice('whole_frame', 'flow on the lips, not the whole frame', {'clip.flow_on': ('frame', 'lips')})


@dataclasses.dataclass(frozen=True)
class Variant:
  """A row: the folder of its runs, what it is, the fields in which it differs from the start, and all that are set."""

  name: str
  words: str
  flags: dict[str, Any]
  fields: dict[str, Any]


def list_variants(start: str, without: Sequence[str] = ()) -> list[Variant]:
  """The rows: the start, the start with one choice made the other way, and all of them made the other way.

  Args:
    start: LEGACY or OURS.
    without: names of choices that are left out, and ours in every row.

  Raises:
    UserError: there is no such start or choice.
  """
  names = [choice.name for choice in CHOICES]
  if start not in (LEGACY, OURS) or not set(without) <= set(names):
    known = f'choose {LEGACY} or {OURS}, and leave out some of {", ".join(names)}'
    raise UserError(f'start {start!r}, without {",".join(without)!r}: {known}')
  here, there = (0, 1) if start == LEGACY else (1, 0)
  kept = [choice for choice in CHOICES if choice.name not in without]
  ours = {field: values[1] for choice in CHOICES for field, values in choice.fields.items()}
  legacy = ours | {field: values[0] for choice in kept for field, values in choice.fields.items()}
  fields = (legacy, ours)
  rows = [Variant(start, 'the released code' if start == LEGACY else 'ours', {}, fields[here])]
  for choice in kept if start == LEGACY else (*kept, WHOLE_FRAME):
    changed = {field: values[there] for field, values in choice.fields.items()}
    words = choice.words if start == LEGACY else f'without: {choice.words}'
    rows.append(Variant(f'{start}_but_{choice.name}', words, changed, {**fields[here], **changed}))
  other = OURS if start == LEGACY else LEGACY
  return [*rows, Variant(other, 'all of these', {}, fields[there])]


def make_config(config: ml_collections.ConfigDict, fields: Mapping[str, Any], seed: int) -> ml_collections.ConfigDict:
  """A copy of a config with a variant's fields and a seed; those of the clip become the name of its spec."""
  made = copy.deepcopy(config)
  clip = {name.removeprefix('clip.'): value for name, value in fields.items() if name.startswith('clip.')}
  made.data.builder_config = next(name for name, spec in SPECS.items() if spec == ClipSpec(**clip))
  made.update_from_flattened_dict({name: value for name, value in fields.items() if not name.startswith('clip.')})
  made.seed = seed
  return made
