"""Speed of extraction as ratios: `python benchmarks/extract.py VIDEO...` measures three ways through the same file.

- decode: frames are decoded and thrown away. The floor.
- reference: the paper's reading. Every frame is decoded and turned into RGB, Farneback's flow is measured on the whole
  frame for every pair, and MediaPipe's Face Mesh looks at the 60 chosen frames in static mode.
- ours: `lipfake_jax.clips.clips.extract_clips`, as datasets are built, and with `landmark_stride=1`.

The reference has a process of its own, the others share one; each is bound to one core (Linux), with one thread of
OpenCV's and the decoder's, and the models loaded. Decoding and ours are timed by their fastest of several rounds, taken
in turns. The stages of ours are the differences between runs that end after each of them. Prints a table and, last, the
same as one line of JSON.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROUNDS = 5
REFERENCE_FRAMES = 100  # the reference's cost a frame is the same everywhere, and it takes its time
STAGES = ('decode', 'planes', 'faces', 'placements', 'ours')


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('videos', nargs='+', metavar='VIDEO', type=Path)
  parser.add_argument('--config', default='flow_lips_60x64', help='a name in lipfake_jax.core.clip_spec.SPECS')
  parser.add_argument('--rounds', type=int, default=ROUNDS)
  parser.add_argument('--measure', choices=('reference', 'ours'), help=argparse.SUPPRESS)
  options = parser.parse_args()
  if options.measure:
    work = {'reference': _measure_reference, 'ours': _measure_ours}[options.measure]
    print(json.dumps(work(options.videos[0], options.config, options.rounds)))
    return
  results = [_measure(video, options.config, options.rounds) for video in options.videos]
  for result in results:
    _print_table(result)
  print(json.dumps(results))


def _measure(video: Path, config: str, rounds: int) -> dict:
  """Both measurements of a video, each in a fresh process, since peak memory never falls within one."""
  found: dict = {'video': str(video), 'config': config}
  for name in ('reference', 'ours'):
    command = [sys.executable, __file__, str(video), f'--measure={name}', f'--config={config}', f'--rounds={rounds}']
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    if done.returncode:
      sys.exit(f'{video}: the {name} run failed; run it alone to see why: {" ".join(command)}')
    found[name] = json.loads(done.stdout.splitlines()[-1])
  ours, reference = found['ours'], found['reference']
  found['times_reference'] = reference['ms_per_frame'] / ours['ms_per_frame']['ours']
  found['times_decode'] = ours['ms_per_frame']['ours'] / ours['ms_per_frame']['decode']
  return found


def _one_core() -> None:
  os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
  import cv2

  cv2.setNumThreads(1)


def _measure_reference(video: Path, _config: str, _rounds: int) -> dict:
  _one_core()
  import av
  import cv2
  import numpy as np

  from lipfake_jax.clips import flow, landmarks, selection

  mesh = landmarks._import_mediapipe().solutions.face_mesh.FaceMesh(static_image_mode=True)
  start = time.perf_counter()
  images, activity, previous = [], [0.0], None
  with av.open(str(video)) as container:
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1
    for frame in container.decode(stream):
      rgb = frame.to_ndarray(format='rgb24')
      gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
      if previous is not None:
        activity.append(flow.flow_activity(previous, gray))
      images.append(rgb)
      previous = gray
      if len(images) == REFERENCE_FRAMES:
        break
  share = min(60, round(60 * len(images) / _count_frames(video)))  # of the 60 chosen frames, as many as fall in here
  for index in selection.select_frames(np.array(activity), max(1, share), 'top_k'):
    mesh.process(images[index])
  seconds = time.perf_counter() - start
  return {'frames': len(images), 'ms_per_frame': 1000 * seconds / len(images)}


def _measure_ours(video: Path, config: str, rounds: int) -> dict:
  _one_core()
  import dataclasses

  from lipfake_jax.clips import analysis, clips, regions, tracks
  from lipfake_jax.clips.landmarks import open_face_models
  from lipfake_jax.clips.video import read_frames
  from lipfake_jax.core import clip_spec

  spec = clip_spec.SPECS[config]
  n_frames = _count_frames(video)

  def place(landmarks):
    return regions.place_region(landmarks, spec.region, spec.alignment)[None]

  with open_face_models() as models:

    def faces():
      return tracks.find_faces(read_frames(video), models, spec.landmark_stride)

    outcome = clips.extract_clips(video, spec, models)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    work: dict[str, Callable[[], object]] = {
      'decode': lambda: _count_frames(video),
      'planes': lambda: _exhaust(read_frames(video)),
      'faces': lambda: _exhaust(faces()),
      'placements': lambda: _exhaust(
        tracks.place_faces(faces(), place, regions.trace_lips, analysis.SMOOTHING_S[spec.alignment])
      ),
      'ours': lambda: clips.extract_clips(video, spec, models),
      'every frame': lambda: clips.extract_clips(video, dataclasses.replace(spec, landmark_stride=1), models),
    }
    best = dict.fromkeys(work, float('inf'))
    for _ in range(rounds):
      for name, run in work.items():
        start = time.perf_counter()
        run()
        best[name] = min(best[name], time.perf_counter() - start)
  return {
    'frames': n_frames,
    'outcome': 'clip' if isinstance(outcome, list) else outcome.reason,
    'ms_per_frame': {name: 1000 * seconds / n_frames for name, seconds in best.items()},
    'peak_mib': peak_mib,
  }


def _count_frames(video: Path) -> int:
  """Decodes a video with one thread and nothing else."""
  import av

  with av.open(str(video)) as container:
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1
    return _exhaust(container.decode(stream))


def _exhaust(items) -> int:
  return sum(1 for _ in items)


def _print_table(result: dict) -> None:
  ours = result['ours']['ms_per_frame']
  rows = [('decode only', ours['decode']), ('reference', result['reference']['ms_per_frame'])]
  rows += [(f'ours, {result["config"]}', ours['ours']), ('ours, landmarks in every frame', ours['every frame'])]
  print(f'\n{result["video"]}: {result["ours"]["frames"]} frames, {result["ours"]["outcome"]}')
  print(f'{"":34}{"ms/frame":>10}{"frames/s":>10}{"x reference":>13}{"/ decode":>10}')
  for name, ms in rows:
    against = result['reference']['ms_per_frame'] / ms
    print(f'{name:34}{ms:10.2f}{1000 / ms:10.0f}{against:13.1f}{ms / ours["decode"]:10.2f}')
  names = ('decoding', 'frames as arrays', 'faces and landmarks', 'placements', 'crops, flow, selection')
  ends = [ours[stage] for stage in STAGES]
  print(
    'stages of ours, ms a frame: '
    + ', '.join(f'{n} {b - a:.2f}' for n, a, b in zip(names, [0, *ends], ends, strict=False))
  )
  print(f'peak memory of ours: {result["ours"]["peak_mib"]:.0f} MiB')


if __name__ == '__main__':
  main()
