"""What of a video lies outside of what is usual, in words: a verdict there says less.

In: the clips of a person. Out: notes, none where all is usual. Next stage: `people` puts them beside the verdict.
"""

from collections.abc import Sequence

import numpy as np

from lipfake_jax.clips.clips import Clip

# What is usual: of 304 real videos, real and fake, the middle 97 % or more are within each.
SMALL_MOUTH = 25.0  # px between the corners: less is too few pixels to show how they were made
SHORT = 0.9  # s between the first frame that is scored and the last
BLURRED = 7.0  # variance of the Laplacian, gray levels squared, of crops of the lower face at 128 pixels
RATES = (14.0, 61.0)  # frames per second; how a mouth moves from frame to frame is learnt at 15 to 60, mostly 25 and 30
HIDDEN = 0.5  # of the looks at the mouth


def note_range(clips: Sequence[Clip]) -> list[str]:
  """Sentences on an unusual rate, a small or hidden mouth, a short time, blur: each with its figure and the limit."""
  mouth = min(clip.mouth_width for clip in clips)
  span = sum(float(clip.times[-1] - clip.times[0]) for clip in clips)
  sharpness = float(np.median([clip.sharpness for clip in clips]))
  rate, hidden = clips[0].rate, clips[0].hidden_share
  found = (
    (rate < RATES[0], f'{rate:.3g} frames a second, under {RATES[0]:g}'),
    (rate > RATES[1], f'{rate:.4g} frames a second, over {RATES[1]:g}'),
    (mouth < SMALL_MOUTH, f'mouth {mouth:.0f} px wide, under {SMALL_MOUTH:.0f}'),
    (span < SHORT, f'{span:.2g} s are scored, under {SHORT:g}'),
    (sharpness < BLURRED, f'blurred: sharpness {sharpness:.0f}, under {BLURRED:.0f}'),
    (hidden > HIDDEN, f'no mouth shows in {hidden:.0%} of the looks at it, over {HIDDEN:.0%}'),
  )
  return [sentence for outside, sentence in found if outside]
