"""Towers that take no network: embeddings that can be told by heart."""

import dataclasses
import types
from pathlib import Path

import numpy as np

from lipfake_jax.clips.clips import Clip
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.vocabulary import SOUNDS
from lipfake_jax.inference.towers import Embeddings, Towers
from tests.conftest import make_clip

SPEC = ClipSpec(frames=40, size=8, rule='contiguous', sound=True)


def open_fake(look: str, objective: str = 'moments', weights: str = 'abc') -> Towers:
  """Towers whose embeddings of moments are the signals of lips and sound about them, and of a clip its mean colour."""
  model = types.SimpleNamespace(inputs=(look, 'sound'), window=5, objective=objective)
  embed = embed_moments if objective == 'moments' else embed_means
  return Towers(Path('runs/fake'), model, embed, {'clip': SPEC.fields(), 'digests': {'weights': weights}})


def embed_moments(looks: np.ndarray, sounds: np.ndarray) -> Embeddings:
  """Windows of five frames of how far the first landmark is open, and of how loud the first band is."""
  signals = {'look': looks[..., 0, 0], 'sound': sounds[..., 0, 0]}
  centred = {name: x - x.mean(1, keepdims=True) for name, x in signals.items()}
  windows = {name: np.lib.stride_tricks.sliding_window_view(x, 5, axis=1) for name, x in centred.items()}
  return {name: x / np.linalg.norm(x, axis=-1, keepdims=True) for name, x in windows.items()}


def embed_means(looks: np.ndarray, sounds: np.ndarray) -> Embeddings:
  """The mean brightness, and the mean loudness: [N, 1] each."""
  return {'look': looks.mean((1, 2, 3, 4))[:, None], 'sound': sounds.mean((1, 2, 3))[:, None]}


def speaking_clip(seed: int, late: int = 0, track: int = 0, state: str = 'heard', level: float = 0.0) -> Clip:
  """A clip of 40 frames whose sound follows its lips, so many frames later; its pixels have one level."""
  said = np.random.default_rng(seed).normal(size=60)
  lips = np.zeros((40, 64, 2), np.float32)
  lips[:, 0, 0] = said[10:50]
  sound = np.full((40, 4, 64), level, np.float32)
  sound[..., 0] = said[10 - late : 50 - late, None]
  clip = make_clip(np.full((40, 8, 8, 3), round(level), np.uint8), f'{seed}', track=track)
  features = {**clip.features, 'lips': lips, 'sound': sound, 'sound_state': np.array([SOUNDS.index(state)], np.uint8)}
  return dataclasses.replace(clip, features=features)


def make_facts(video: Path, tracks: tuple[int, ...] = (0,), reason: str | None = None) -> dict:
  """What a survey knows of a video; of several faces the last is the largest."""
  people = [
    {'track': track, 'area': 100.0 + track, 'reason': reason, 'detail': 'as it is' if reason else None}
    for track in tracks
  ]
  return {'sha256': f'digest of {video.name}', 'reason': None, 'detail': None, 'people': people}
