"""`extraction` on many machines: an Apache Beam pipeline whose workers take videos and leave their clips.

In: jobs as `extraction.plan_jobs` makes them. Out: the same files in the same cache. All workers must see videos and
cache under the same paths: on a file system that they share.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import cv2

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
    """Beam calls this once, before the first video."""
    cv2.setNumThreads(1)  # one video a worker: threads of OpenCV's own would share its core
    self.opened = open_face_models()
    self.models = self.opened.__enter__()

  def teardown(self) -> None:
    """Beam calls this once, after the last video."""
    self.opened.__exit__(None, None, None)

  def process(self, job: tuple[str, str, str]) -> Iterator[str]:
    """Yields the reason of the video's rejection, or ''."""
    video, clips, faces = map(Path, job)
    yield extraction.run_job((video, clips, faces), ClipSpec(**self.spec), self.models) or ''
