"""A video on its way here: it ends where it is too large, too slow, or the disk is full.

In: the body of a request, which is the file and nothing else. Out: the file.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from lipfake_jax.core.disk import free_bytes
from lipfake_jax.core.names import printable
from lipfake_jax.web.limits import RESERVE_BYTES, Limits

LONGEST = 120  # characters of a name
MIB = 1 << 20


def name_upload(name: str) -> str:
  """What a file is called here: the end of its path, as it may be shown."""
  last = PurePosixPath(name.replace('\\', '/')).name
  return printable(last)[:LONGEST] or 'video'


async def receive_upload(request: Request, path: Path, limits: Limits) -> None:
  """Writes the body of a request to a file.

  Raises:
    HTTPException: it is empty, too large, too slow, was broken off, or there is no room.
  """
  _check_size(_declared(request), path, limits)
  try:
    with open(path, 'xb') as file:
      async with asyncio.timeout(limits.upload_s):
        async for chunk in _chunks(request, limits.stall_s):
          if file.tell() + len(chunk) > limits.upload_bytes:
            raise _too_large(limits)
          file.write(chunk)
    if not path.stat().st_size:
      raise HTTPException(400, 'the file is empty')
  except TimeoutError as error:
    words = f'the upload took too long: {limits.upload_s:g} s are allowed, and {limits.stall_s:g} s of silence'
    raise HTTPException(408, words) from error
  except ClientDisconnect as error:
    raise HTTPException(400, 'the upload was broken off') from error
  except OSError as error:
    raise HTTPException(507, f'the file could not be kept: {error.strerror}') from error


async def _chunks(request: Request, stall_s: float) -> AsyncIterator[bytes]:
  """The parts of a body, each of which comes in time."""
  async with contextlib.aclosing(request.stream()) as stream:
    while True:
      async with asyncio.timeout(stall_s):
        chunk = await anext(stream, b'')
      if not chunk:
        return
      yield chunk


def _declared(request: Request) -> int:
  """How many bytes a request says that it has."""
  length = request.headers.get('content-length', '')
  if not length.isascii() or not length.isdigit():
    raise HTTPException(411, 'the upload does not say how long it is')
  return int(length)


def _check_size(size: int, path: Path, limits: Limits) -> None:
  if size > limits.upload_bytes:
    raise _too_large(limits)
  if size + RESERVE_BYTES > free_bytes(path.parent):
    raise HTTPException(507, 'there is no room for this file: delete some, or try again later')


def _too_large(limits: Limits) -> HTTPException:
  return HTTPException(413, f'the file is larger than {limits.upload_bytes // MIB} MiB: send a shorter piece of it')
