"""The test of POI-Forensics on points of a line, where every distance can be told by heart."""

import numpy as np
import pytest

from lipfake_jax.scoring.person import nearest, score_clips, score_face, score_references, score_video, spread


def line(*places: float) -> np.ndarray:
  """Clips at these places: [N, 1]."""
  return np.array(places)[:, None]


# Three videos of two clips each. Each clip's squared distance to the nearest clip of another video: 1, 1; 1, 1; 1, 9.
SEEN = [line(0, 4), line(1, 3), line(2, 7)]


def test_the_nearest_clip_counts():
  np.testing.assert_array_equal(nearest(line(0, 5), line(1, 3)), [1, 4])


def test_statistics_leave_each_video_out():
  """A clip's own video would always be the nearest: at 0."""
  mean, deviation = spread(SEEN)
  assert mean == pytest.approx(14 / 6)
  assert deviation == pytest.approx(np.sqrt(86 / 6 - (14 / 6) ** 2))


def test_a_clip_is_scored_in_deviations_from_the_references():
  references = [{'look': video} for video in SEEN]
  mean, deviation = spread(SEEN)
  np.testing.assert_allclose(score_clips({'look': line(2, 10)}, references), (np.array([0, 9]) - mean) / deviation)


def test_the_higher_of_what_is_seen_and_what_is_heard_counts():
  """A true face with another's voice."""
  references = [{'look': video, 'sound': video} for video in SEEN]
  seen, heard = (score_clips({kind: line(place)}, references) for kind, place in (('look', 2), ('sound', 10)))
  both = score_clips({'look': line(2), 'sound': line(10)}, references)
  assert seen < heard
  np.testing.assert_array_equal(both, heard)


def test_what_the_references_lack_does_not_count():
  references = [{'look': video} for video in SEEN]
  clips = {'look': line(2), 'sound': line(99)}
  np.testing.assert_array_equal(score_clips(clips, references), score_clips({'look': line(2)}, references))
  with pytest.raises(ValueError, match='sound: three references with one of these are needed'):
    score_clips({'sound': line(2)}, references)


def test_a_face_is_scored_by_its_smoothed_fifth_percentile():
  """Twenty clips at 2, a squared distance of 0, then twenty at 10: over seven, the least 5 % are of the first."""
  references = [{'look': video} for video in SEEN]
  mean, deviation = spread(SEEN)
  assert score_face({'look': line(*[2] * 20, *[10] * 20)}, references) == pytest.approx(-mean / deviation)
  # One clip at 2 among sixes of 9 gives (0 + 6 * 9) / 7 about it, and nothing less.
  lone = {'look': line(*[10] * 10, 2, *[10] * 10)}
  smoothed = np.array([*[9] * 14, *[54 / 7] * 7])
  expected = (np.percentile(smoothed, 5) - mean) / deviation
  assert score_face(lone, references) == pytest.approx(expected)


def test_of_several_faces_the_one_most_like_the_person_counts():
  references = [{'look': video} for video in SEEN]
  own, other = {'look': line(2)}, {'look': line(50)}
  assert score_video([other, own], references) == score_face(own, references) < score_face(other, references)


def test_a_reference_of_somebody_else_stands_out():
  own = [{'look': line(place, place + 1)} for place in (0.0, 0.3, 0.5, 0.8)]
  scores = score_references([*own, {'look': line(40, 41)}])
  assert scores[4] > 100
  assert (scores[:4] < 3).all()
