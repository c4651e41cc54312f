"""What a video lets hear, and what its lips do about the sounds that want them closed.

In: a video, and the faces found in it. Out: a `Hearing`, in a file of the survey's folder. Next stage:
`inference.sound_evidence` compares the two.

Frames are decoded a second time, and those about M, B and P alone are looked at, by the attention mesh: the plain one
reads the lips of a real face as closed in 36 % of these sounds, the attention mesh in 93 %. A frame that shows several
faces counts for none: nobody knows who of them speaks.
"""

import dataclasses
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path

import numpy as np

from lipfake_jax.clips import face_records, tracks
from lipfake_jax.clips.landmarks import open_attention_mesh
from lipfake_jax.clips.phones import Phone, Speech, hear_speech
from lipfake_jax.clips.placement import cut, to_points
from lipfake_jax.clips.regions import place_region, span_mouth, trace_lips
from lipfake_jax.clips.sound import read_sound
from lipfake_jax.clips.video import Frame, read_frames

HEARING = 'sound.npz'  # a file of a survey's folder
CLOSING = ('M', 'B', 'P')  # what no mouth says without closing
REACH_S = 0.5  # from the middle of such a phone to the frames that are looked at
FACE_SIDE, FACE_ROOM = 256, 1.3  # pixels of the mesh's picture; its side over that of the face's square
MOUTH_SIDE, MOUTH_ROOM = 48, 1.6  # pixels of a picture for people; its side over the mouth's width
INNER, CORNERS = (13, 14), (61, 291)  # of the lips: middle of the inner edges, outer corners


@dataclasses.dataclass(frozen=True)
class Hearing:
  """What was heard, and what was seen of mouths meanwhile.

  Attributes:
    state: one of `vocabulary.SOUNDS`.
    speech_s: seconds in which somebody speaks.
    sureness: of the recogniser, see `Speech`.
    names, spans: of all phones heard, str [P] and float64 [P, 2], their beginnings and ends in seconds.
    tracks, times, openings: of each look, int64 [L], float64 [L], float32 [L]: whose mouth, when, and how far the inner
      edges of its lips are apart, in widths of the mouth.
    crops: of each look, RGB uint8 [L, MOUTH_SIDE, MOUTH_SIDE, 3].
  """

  state: str
  speech_s: float
  sureness: float
  names: np.ndarray
  spans: np.ndarray
  tracks: np.ndarray
  times: np.ndarray
  openings: np.ndarray
  crops: np.ndarray


def hear_video(video: Path, faces: Path, ends_s: float, names: Container[str] | None = CLOSING) -> Hearing:
  """Listens to a video and looks at its lips.

  Args:
    video: the file.
    faces: those found in it, see `face_records`.
    ends_s: when its last frame is shown.
    names: of the phones about which lips are looked at; None for all.
  """
  sound = read_sound(video)
  state = sound.name_state(ends_s)
  speech = hear_speech(sound.samples) if state in ('heard', 'short') else Speech(0.0, ())
  wanted = [middle(phone) for phone in speech.phones if names is None or phone.name in names]
  looks = list(look_at_lips(read_frames(video), face_records.read(faces), wanted)) if wanted else []
  return Hearing(
    state=state,
    speech_s=speech.seconds,
    sureness=speech.sureness,
    names=np.array([phone.name for phone in speech.phones], str),
    spans=np.array([(phone.begins_s, phone.ends_s) for phone in speech.phones]).reshape(-1, 2),
    tracks=np.array([look.track for look in looks], np.int64),
    times=np.array([look.time_s for look in looks]),
    openings=np.array([look.opening for look in looks], np.float32),
    crops=np.array([look.crop for look in looks], np.uint8).reshape(-1, MOUTH_SIDE, MOUTH_SIDE, 3),
  )


def save_hearing(hearing: Hearing, folder: Path) -> None:
  """Keeps it in a survey's folder."""
  np.savez(folder / HEARING, **vars(hearing))


def read_hearing(folder: Path) -> Hearing | None:
  """What `save_hearing` kept; None where nothing was listened to."""
  if not (folder / HEARING).exists():
    return None
  with np.load(folder / HEARING) as kept:
    return Hearing(**{name: kept[name] if kept[name].ndim else kept[name].item() for name in kept.files})


def middle(phone: Phone) -> float:
  """In seconds."""
  return (phone.begins_s + phone.ends_s) / 2


@dataclasses.dataclass(frozen=True)
class LipLook:
  """Whose mouth, when, how far open and as a picture, see `Hearing`."""

  track: int
  time_s: float
  opening: float
  crop: np.ndarray


def look_at_lips(
  frames: Iterable[Frame], key_faces: dict[int, list[tracks.KeyFace]], moments: Iterable[float]
) -> Iterator[LipLook]:
  """The looks at a face that is alone in its frame, within REACH_S of moments, in seconds, at least one of them."""
  at = np.sort(np.array(list(moments)))
  seen = tracks.replay_faces(frames, key_faces)
  with open_attention_mesh() as mesh:
    for frame, faces in tracks.place_faces(seen, _frame_face, trace_lips, 0.0):
      if frame.time_s > at[-1] + REACH_S:
        return
      if len(faces) == 1 and np.abs(at - frame.time_s).min() <= REACH_S:
        look = _look(frame, faces[0], mesh)
        if look:
          yield look


def _frame_face(landmarks: np.ndarray) -> np.ndarray:
  """complex128 [1, 2]: the square that the mesh is shown."""
  return place_region(landmarks, 'face', 'aligned')[None] * (1, FACE_ROOM)


def _look(frame: Frame, face: tracks.PlacedFace, mesh: Callable[[np.ndarray], np.ndarray | None]) -> LipLook | None:
  [square] = face.placements
  landmarks = mesh(cut(frame, square, FACE_SIDE))
  if landmarks is None:
    return None
  points = to_points(square, landmarks / (FACE_SIDE / 2) - 1)
  gap, width = (float(np.linalg.norm(np.subtract(*points[list(pair)]))) for pair in (INNER, CORNERS))
  crop = cut(frame, span_mouth(points) * (1, MOUTH_ROOM), MOUTH_SIDE)
  return LipLook(face.track, frame.time_s, gap / max(width, 1e-6), crop)
