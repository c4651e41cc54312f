"""Where a stream comes from, and how FFmpeg may open it: a file, standard input, a camera, an address of a network.

In: what a user names. Out: a `Source`; then its container and the stream that is the film. Next stage: `arrivals`.

FFmpeg is told which protocols and formats it may use, redirections included: an address can't lead to a file, and no
content names further addresses but RTSP's, which is made for that.
"""

import contextlib
import dataclasses
import os
import re
import stat
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import av

from lipfake_jax.clips.container import FORMATS, VideoError, choose_film, open_container, open_descriptor, open_name
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.names import printable

# Protocols that an address may use, by how it begins.
PROTOCOLS = {
  'rtsp': 'rtsp,rtp,udp,tcp',
  'http': 'http,https,tls,tcp,httpproxy',
  'https': 'http,https,tls,tcp,httpproxy',
  'udp': 'udp',
}
RTSP_OPTIONS = {'rtsp_flags': 'prefer_tcp'}  # which loses no packets; then UDP
# What is looked at before the first frame: FFmpeg's 5 s of a broadcast would only be late.
LIVE_OPTIONS = {'analyzeduration': '1000000'}  # microseconds
CAMERA_FORMAT = 'video4linux2,v4l2'  # FFmpeg's one name of it
DEVICE = re.compile(r'/dev/video\d+')
STDIN = '-'

Opened = tuple[av.container.InputContainer, av.VideoStream]


class NoAnswer(VideoError):
  """Nobody sends at an address, or nothing within the time."""


@dataclasses.dataclass(frozen=True)
class Source:
  """Where frames come from.

  Attributes:
    place: a path, an address, or '-'.
    kind: what it is.
    name: of it, as it may be shown: without a password.
  """

  place: str
  kind: Literal['file', 'pipe', 'camera', 'network']
  name: str


def find_source(text: str) -> Source:
  """What a user names. A name that exists is meant literally; a number is a camera's.

  Raises:
    UserError: it means nothing that can be read.
  """
  path = os.path.expanduser(text)
  if text == STDIN:
    return Source(text, 'pipe', 'standard input')
  if text.isascii() and text.isdigit() and not os.path.lexists(text):
    path = f'/dev/video{text}'
    if not os.path.exists(path):
      raise UserError(f'{text}: there is no camera {path}: name another one, a file, or an address')
  if os.path.lexists(path):
    return _find_on_disk(path)
  scheme, mark, rest = text.partition('://')
  if not mark:
    raise UserError(f'{text or "an empty name"}: no such file or camera')
  if scheme.lower() not in PROTOCOLS:
    raise UserError(
      f'{hide_password(text)}: an address begins with one of {", ".join(f"{name}://" for name in PROTOCOLS)}; '
      'another program may fetch it, and write it to lipfake stream -'
    )
  address = f'{scheme.lower()}{mark}{rest}'  # as FFmpeg knows it
  return Source(address, 'network', printable(hide_password(address)))


def _find_on_disk(path: str) -> Source:
  name, kind = printable(path), _kind_of(path)
  if stat.S_ISDIR(kind):
    raise UserError(f'{name}: it is a folder: name one file, or use lipfake detect')
  if stat.S_ISFIFO(kind):
    raise UserError(f'{name}: it is a named pipe: use lipfake stream - < {name}')
  if stat.S_ISCHR(kind) and DEVICE.fullmatch(os.path.realpath(path)):
    return Source(path, 'camera', name)
  if not stat.S_ISREG(kind):
    raise UserError(f'{name}: it is neither a file nor a camera, which is a /dev/videoN')
  return Source(path, 'file', name)


def _kind_of(path: str) -> int:
  try:
    return os.stat(path).st_mode
  except OSError as error:
    raise UserError(f'{path}: {error.strerror}: name another file') from error


def hide_password(address: str) -> str:
  """An address without the user and the password in it."""
  try:
    parts = urllib.parse.urlsplit(address)
  except ValueError:  # no address at all
    return address
  return parts._replace(netloc=parts.netloc.rpartition('@')[2]).geturl() if '@' in parts.netloc else address


@contextlib.contextmanager
def open_source(source: Source, descriptor: int | None, timeout_s: float) -> Iterator[Opened]:
  """The container of a source and its film, open as long as the context.

  Args:
    source: what to open.
    descriptor: of the open pipe that it is, if it is one.
    timeout_s: seconds that a camera or an address has for its answer, and then for each frame.

  Raises:
    NoAnswer: of a camera or an address.
    VideoError: it can't be read as a video.
  """
  with contextlib.ExitStack() as stack:
    if source.kind == 'file':
      container = stack.enter_context(open_container(Path(source.place)))
    elif source.kind == 'pipe':
      container = stack.enter_context(open_descriptor(descriptor))  # type: ignore[arg-type]  # a pipe has one
    else:
      container = stack.enter_context(_open_live(source, timeout_s))
    yield container, choose_film(container)


def _open_live(source: Source, timeout_s: float) -> av.container.InputContainer:
  arguments = {'timeout': (timeout_s, timeout_s)}
  if source.kind == 'camera':
    options = {'protocol_whitelist': 'file', 'format_whitelist': CAMERA_FORMAT}
    arguments |= {'format': CAMERA_FORMAT}
  else:
    scheme = source.place.partition('://')[0]
    formats = (*FORMATS, scheme) if scheme == 'rtsp' else FORMATS
    options = {'protocol_whitelist': PROTOCOLS[scheme], 'format_whitelist': ','.join(formats), **LIVE_OPTIONS}
    options |= RTSP_OPTIONS if scheme == 'rtsp' else {}
  try:
    return open_name(source.place, options, **arguments)
  except VideoError as error:
    cause = error.__cause__
    if isinstance(cause, av.error.ExitError):
      raise NoAnswer(f'no answer within {timeout_s:g} s') from cause
    if isinstance(cause, av.error.InvalidDataError | av.error.ArgumentError):
      raise
    raise NoAnswer(str(error)) from cause
