"""What of a video lies outside of what scores were ever measured on, in words.

In: the clips of a video. Out: notes, none where all is usual. Next stage: `predict` shows them beside the verdict.
"""

from collections.abc import Sequence

import numpy as np

from lipfake_jax.clips.clips import Clip

SMALL_MOUTH = 20.0  # px between the corners: less is too few pixels to show how they were made
SHORT = 1.0  # s
BLURRED = 15.0  # variance of the Laplacian, gray levels squared, of crops of the size that is scored


def note_range(clips: Sequence[Clip]) -> list[str]:
  """Sentences on a small mouth, a short video, heavy blur, each with its figure and the limit."""
  mouth = min(clip.mouth_width for clip in clips)
  duration = clips[0].duration
  sharpness = float(np.median([clip.sharpness for clip in clips]))
  found = (
    (mouth < SMALL_MOUTH, f'mouth {mouth:.0f} px wide, under {SMALL_MOUTH:.0f}'),
    (duration < SHORT, f'{duration:.2f} s long, under {SHORT:.0f}'),
    (sharpness < BLURRED, f'blurred: sharpness {sharpness:.0f}, under {BLURRED:.0f}'),
  )
  return [sentence for outside, sentence in found if outside]
