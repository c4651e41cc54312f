"""What is said, and when: speech found in a sound, and the phones in it, of English.

In: samples at 16 kHz. Out: phones with their times on the video's clock, and how sure the recogniser is of the words
that it heard. Next stage: `listening` looks at the lips where phones want them closed.

pocketsphinx, of the extra `sound`, recognises words, then aligns their phones with the sound. It knows English alone;
in any other language, and in music, it hears words that it is unsure of.
"""

import dataclasses
import functools
import importlib.util
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from lipfake_jax.clips.spectrum import RATE
from lipfake_jax.core.errors import UserError

FRAMES_A_SECOND = 100  # of pocketsphinx
PAUSE_S = 0.3  # a shorter one interrupts no utterance
MARGIN_S = 0.2  # of sound about an utterance that is listened to as well
LONGEST_S = 12.0  # of an utterance; a longer one is cut into equal parts
PADDINGS_S = (0.0, 0.3)  # of silence about it: some sounds are aligned with it alone
MOST_S = 300.0  # seconds of speech that are listened to, the first ones: recognition takes about as long as they do
HYPOTHESES = 3000  # followed in a frame; its 30000 take nearly twice as long, for 3 other words of 57 in three videos
SPEECH_S = 0.5  # less than so much speech is none


class Phone(NamedTuple):
  """A phone, in ARPAbet: 'B', 'AH'; its beginning and end in seconds; how sure its word is, from 0 to 1."""

  name: str
  begins_s: float
  ends_s: float
  sureness: float


@dataclasses.dataclass(frozen=True)
class Speech:
  """What is said in a sound.

  Attributes:
    seconds: in which somebody speaks, of those that were listened to.
    phones: in time order, without silence.
  """

  seconds: float
  phones: tuple[Phone, ...]

  @property
  def sureness(self) -> float:
    """Of the words, from 0 to 1: the mean over their time."""
    spans = np.array([phone.ends_s - phone.begins_s for phone in self.phones])
    return float(np.average([phone.sureness for phone in self.phones], weights=spans)) if len(spans) else 0.0


def check_recogniser() -> None:
  """Raises UserError where pocketsphinx is not installed."""
  if importlib.util.find_spec('pocketsphinx') is None:
    raise UserError("--sound needs pocketsphinx, which is not installed: pip install 'lipfake_jax[sound]'")


def hear_speech(samples: np.ndarray) -> Speech:
  """Listens to int16 [N], at RATE: a tenth to a whole second for each second of speech."""
  utterances = find_utterances(find_voice(samples))
  phones = [phone for begins_s, ends_s in utterances for phone in _hear_utterance(samples, begins_s, ends_s)]
  return Speech(sum(ends_s - begins_s for begins_s, ends_s in utterances), tuple(phones))


def find_voice(samples: np.ndarray) -> np.ndarray:
  """bool [N]: in which pieces of 30 ms somebody speaks, by WebRTC's detector."""
  import pocketsphinx

  detector = pocketsphinx.Vad()
  length = detector.frame_bytes // 2
  pieces = (np.ascontiguousarray(samples[i : i + length]) for i in range(0, len(samples) - length + 1, length))
  return np.array([detector.is_speech(piece.tobytes()) for piece in pieces], bool)


VOICE_S = 0.03  # of a piece of `find_voice`


def find_utterances(voice: np.ndarray) -> list[tuple[float, float]]:
  """Beginnings and ends in seconds, as few as their pauses and LONGEST_S allow, of MOST_S in all; of `find_voice`."""
  spoken = np.flatnonzero(voice)
  if len(spoken) * VOICE_S < SPEECH_S:
    return []
  breaks = np.flatnonzero(np.diff(spoken) * VOICE_S > PAUSE_S)
  begins = spoken[np.concatenate([[0], breaks + 1])] * VOICE_S
  ends = (spoken[np.concatenate([breaks, [len(spoken) - 1]])] + 1) * VOICE_S
  found: list[tuple[float, float]] = []
  for begin_s, end_s in zip(begins.tolist(), ends.tolist(), strict=True):
    edges = np.linspace(begin_s, end_s, int(np.ceil((end_s - begin_s) / LONGEST_S)) + 1).tolist()
    for part in itertools.pairwise(edges):
      if sum(end - begin for begin, end in [*found, part]) <= MOST_S:
        found.append(part)
  return found


def _hear_utterance(samples: np.ndarray, begins_s: float, ends_s: float) -> Iterator[Phone]:
  first = max(0, round((begins_s - MARGIN_S) * RATE))
  piece = samples[first : round((ends_s + MARGIN_S) * RATE)]
  for padding_s in PADDINGS_S:
    silence = np.zeros(round(padding_s * RATE), np.int16)
    try:
      phones = _align(np.concatenate([silence, piece, silence]).tobytes())
    except RuntimeError:  # "Failed to stop utterance processing"
      continue
    start_s = first / RATE - padding_s
    yield from (Phone(name, start_s + begin, start_s + end, sureness) for name, begin, end, sureness in phones)
    return


def _align(sound: bytes) -> list[Phone]:
  """Words recognised in a sound, then their phones, by times in it. Raises RuntimeError where that fails."""
  decoder = _load_decoder()
  _decode(decoder, sound)
  if decoder.hyp() is None:
    return []
  words = [(word.start_frame, word.end_frame, min(word.prob, 1.0)) for word in decoder.seg()]
  try:
    decoder.set_alignment()
    _decode(decoder, sound)
    spans = [(phone.name, phone.start, phone.start + phone.duration) for phone in decoder.get_alignment().phones()]
  finally:
    decoder.activate_search()
  return [
    Phone(name, begin / FRAMES_A_SECOND, end / FRAMES_A_SECOND, _find_sureness(words, (begin + end) / 2))
    for name, begin, end in spans
    if name.isalpha() and name != 'SIL'
  ]


def _find_sureness(words: list[tuple[int, int, float]], frame: float) -> float:
  """Of the word that is said in a frame; the words' first and last frames, and how sure they are."""
  return next((sureness for first, last, sureness in words if first <= frame <= last + 1), 0.0)


def _decode(decoder: Any, sound: bytes) -> None:
  decoder.start_utt()
  decoder.process_raw(sound, full_utt=True)
  decoder.end_utt()


@functools.cache
def _load_decoder() -> Any:
  import pocketsphinx

  pocketsphinx.set_loglevel('FATAL')
  return pocketsphinx.Decoder(maxhmmpf=HYPOTHESES)
