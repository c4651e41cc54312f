"""Who asks: no request passes that another page, another address or a stranger could have made.

In: an ASGI application. Out: one that answers only

- by a name of this machine: a page of the net can have its own name lead here, and would then read what it likes (DNS
  rebinding);
- visitors who have shown the token, where there is one;
- changes that come from this page: a form or script elsewhere can send requests, but does not know the visitor's key
  (CSRF).

A visitor is a random number in a signed cookie; nothing is kept of them here.
"""

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ('localhost', '127.0.0.1', '::1')
COOKIE, KEY_HEADER = 'lipfake', 'x-lipfake-key'
READING = ('GET', 'HEAD')
NUMBER = re.compile('[0-9a-f]{32}')

# Of every answer. 'nosniff' and the policies on origins keep other pages from showing or reading it.
HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(self), microphone=(), geolocation=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}


def guard(app: ASGIApp, hosts: Sequence[str], token: str | None, port: int) -> ASGIApp:
  """The application behind all checks; it finds the visitor and their key in the request's state.

  Args:
    app: answers those who pass.
    hosts: names and addresses of this machine that a browser may use; '0.0.0.0' and '::' stand for any address, though
      for no name.
    token: what a visitor must show once, as '/?token=', or None.
    port: part of the cookie's name, since browsers do not tell ports apart there.
  """
  secret, cookie = secrets.token_bytes(32), f'{COOKIE}-{port}'

  async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
    if scope['type'] != 'http':
      await app(scope, receive, send)
      return
    request, send = Request(scope), _with_headers(send)
    visitor = _read_visitor(request.cookies.get(cookie, ''), secret)
    key = _sign(f'key {visitor}', secret)
    refusal = _refuse(request, hosts, key)
    if not refusal and token and not visitor:
      refusal = _admit(request, token)
    if refusal:
      await refusal(scope, receive, send)
      return
    if not visitor:
      visitor = secrets.token_hex(16)
      key, send = _sign(f'key {visitor}', secret), _with_cookie(send, cookie, f'{visitor}.{_sign(visitor, secret)}')
    if 'token' in request.query_params:  # out of the address, which is shown and kept in the history
      await RedirectResponse('/', 303)(scope, receive, send)
      return
    scope.setdefault('state', {}).update(visitor=visitor, key=key)
    await app(scope, receive, send)

  return guarded


def _refuse(request: Request, hosts: Sequence[str], key: str) -> Response | None:
  """What a request is answered that comes by another name, or would change something and comes from elsewhere."""
  host = request.headers.get('host', '')
  if not knows_host(host, hosts):
    return PlainTextResponse('This page is not here under that name.\n', 400)
  if request.method in READING:
    return None
  origin = request.headers.get('origin')
  elsewhere = origin is not None and urlsplit(origin).netloc != host
  if elsewhere or request.headers.get('sec-fetch-site', 'same-origin') != 'same-origin':
    return PlainTextResponse('The request comes from another page.\n', 403)
  if not hmac.compare_digest(request.headers.get(KEY_HEADER, '').encode(), key.encode()):
    return PlainTextResponse('The page is from before a restart: load it again.\n', 403)
  return None


def _admit(request: Request, token: str) -> Response | None:
  """What a stranger is answered, or None where they show the token."""
  if hmac.compare_digest(request.query_params.get('token', '').encode(), token.encode()):
    return None
  return PlainTextResponse('Open the address with the token that "lipfake web" printed.\n', 401)


def knows_host(header: str, hosts: Sequence[str]) -> bool:
  """Whether a Host header, 'name:port', is one of the names, or an address where any will do."""
  try:
    name = urlsplit(f'//{header}').hostname or ''
  except ValueError:
    return False
  return name in (host.lower() for host in hosts) or (any(map(is_any, hosts)) and _is_address(name))


def is_any(host: str) -> bool:
  """Whether it stands for all addresses of a machine."""
  return _is_address(host) and ipaddress.ip_address(host).is_unspecified


def is_loopback(host: str) -> bool:
  """Whether only this machine can reach it."""
  return host.lower() == 'localhost' or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(name: str) -> bool:
  try:
    ipaddress.ip_address(name)
  except ValueError:
    return False
  return True


def _sign(text: str, secret: bytes) -> str:
  return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def _read_visitor(cookie: str, secret: bytes) -> str:
  """The number in a cookie, '' where it is not from here."""
  number, _, signature = cookie.partition('.')
  known = NUMBER.fullmatch(number) and hmac.compare_digest(signature.encode(), _sign(number, secret).encode())
  return number if known else ''


def _with_headers(send: Send) -> Send:
  async def sending(message: Message) -> None:
    if message['type'] == 'http.response.start':
      headers = MutableHeaders(scope=message)
      for name, value in HEADERS.items():
        headers.setdefault(name, value)
    await send(message)

  return sending


def _with_cookie(send: Send, name: str, value: str) -> Send:
  async def sending(message: Message) -> None:
    if message['type'] == 'http.response.start':
      carrier = Response()
      carrier.set_cookie(name, value, httponly=True, samesite='lax')
      MutableHeaders(scope=message).append('set-cookie', carrier.headers['set-cookie'])
    await send(message)

  return sending
