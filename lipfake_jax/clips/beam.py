"""`extraction` on many machines: an Apache Beam pipeline whose workers take videos and leave their clips.

In: jobs as `extraction.plan_jobs` makes them. Out: the same files in the same cache. All workers must see videos and
cache under the same paths: on a file system that they share.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam

from lipfake_jax.clips import extraction
from lipfake_jax.core.clip_spec import ClipSpec

BATCH = 16  # videos that a worker takes at once: each batch starts a process, which takes a second


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
      | 'Batches' >> beam.BatchElements(max_batch_size=BATCH)
      | 'Extract' >> beam.Map(run_batch, dataclasses.asdict(spec))
    )


def run_batch(batch: Sequence[tuple[str, str, str]], spec: dict[str, Any]) -> None:
  """A Beam worker's task: jobs as text, in one process beside its own, which a video may crash or hang."""
  jobs = [(Path(video), Path(clips), Path(faces)) for video, clips, faces in batch]
  extraction.run_jobs(extraction.unfinished(jobs), ClipSpec(**spec), workers=1, show_progress=False)
