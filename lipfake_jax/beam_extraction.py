"""`extraction` on many machines: an Apache Beam pipeline whose workers take videos and return clips.

In: jobs as `extraction.plan_jobs` makes them. Out: the same files in the same cache. Videos and cache may lie wherever
`etils.epath` reaches (a shared folder, a bucket); a worker copies what is not on its own disk.
"""

import dataclasses
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import cv2
from etils import epath

from lipfake_jax import extraction
from lipfake_jax.clips import ClipSpec
from lipfake_jax.landmarks import open_face_models


def extract_on_beam(jobs: Sequence[extraction.Job], spec: ClipSpec, runner: Any, options: Any) -> None:
  """Runs the jobs as a pipeline and waits for its end.

  Args:
    jobs: without a result yet.
    spec: what to extract.
    runner: a Beam runner, or None for the one that the options name.
    options: Beam's PipelineOptions.
  """
  with beam.Pipeline(runner=runner, options=options) as pipeline:
    _ = (
      pipeline
      | 'Videos' >> beam.Create([tuple(map(str, job)) for job in jobs])
      | 'Spread' >> beam.Reshuffle()
      | 'Extract' >> beam.ParDo(ExtractVideo(dataclasses.asdict(spec)))
    )


class ExtractVideo(beam.DoFn):
  """Extracts one video; its models are loaded once a worker."""

  def __init__(self, spec: dict[str, Any]):
    self.spec = spec

  def setup(self) -> None:
    cv2.setNumThreads(1)  # one video a worker: threads of OpenCV's own would share its core
    self.opened = open_face_models()
    self.models = self.opened.__enter__()

  def teardown(self) -> None:
    self.opened.__exit__(None, None, None)

  def process(self, job: tuple[str, str, str]) -> Iterator[str]:
    video, clips, faces = map(epath.Path, job)
    with tempfile.TemporaryDirectory() as folder:
      local = (Path(folder) / f'video{video.suffix}', Path(folder) / 'clips.npz', Path(folder) / 'faces.bin')
      _copy(video, local[0])
      if faces.exists():
        _copy(faces, local[2])
      reason = extraction.run_job(local, ClipSpec(**self.spec), self.models)
      for source, target in ((local[2], faces), (local[1], clips)):  # the clips last: they say that all is done
        if source.exists():
          target.parent.mkdir(parents=True, exist_ok=True)
          partial = target.parent / f'{target.name}.{Path(folder).name}'
          _copy(source, partial)
          partial.replace(target)
    yield reason or ''


def _copy(source: Path, target: Path) -> None:
  with source.open('rb') as reader, target.open('wb') as writer:
    shutil.copyfileobj(reader, writer)
