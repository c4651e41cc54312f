"""What is kept is kept for its time; the process that looks ends with the program, however that ends."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from lipfake_jax.web.detector import FINDING, VIDEO, Outcome
from lipfake_jax.web.limits import Limits
from lipfake_jax.web.office import DONE, LATE, Office
from tests.web.serving import until


async def write(path: Path) -> None:
  path.write_bytes(b'video')


def test_what_was_found_is_deleted_in_time(tmp_path):
  async def story() -> None:
    office = Office(tmp_path, None, Limits(keep_s=100))
    job = office._put(await office.add('A', 'a.mp4', write), state=DONE, outcome=Outcome('fake', 'Fake'))
    (job.folder / f'{FINDING}.html').write_text('found')
    office.expire(job.since + 99)
    assert office.read_finding(office.find('A', job.id), 'html') == b'found'
    office.expire(job.since + 101)
    assert (office.describe('A'), list(tmp_path.iterdir())) == ([], [])

  asyncio.run(story())


def test_a_video_does_not_wait_for_ever(tmp_path):
  """Its owner is told for as long as findings are kept."""

  async def story() -> None:
    office = Office(tmp_path, None, Limits(keep_s=100))
    job = await office.add('A', 'a.mp4', write)
    office.expire(job.since + 99)
    assert (job.folder / VIDEO).exists()
    office.expire(job.since + 101)
    job = office.find('A', job.id)
    assert (job.outcome, list(job.folder.iterdir())) == (LATE, [])
    office.expire(job.since + 101)
    assert (office.describe('A'), list(tmp_path.iterdir())) == ([], [])

  asyncio.run(story())


def test_a_program_that_is_killed_leaves_no_video(tmp_path):
  """The process that looks notices, and deletes what the program could not."""
  folder = tmp_path / 'videos'
  folder.mkdir()
  (folder / 'left').write_text('a video')
  code = f"""
import os, signal
from pathlib import Path
from lipfake_jax.web.detector import Detector
from tests.web.stand_in import open_stand_in
if __name__ == '__main__':
  Detector(open_stand_in, Path({str(folder)!r}))
  os.kill(os.getpid(), signal.SIGKILL)
"""
  (tmp_path / 'main.py').write_text(code)
  path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
  subprocess.run([sys.executable, tmp_path / 'main.py'], check=False, env={'PYTHONPATH': path})
  until(lambda: not folder.exists())
