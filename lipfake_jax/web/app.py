"""The page that takes videos, as an ASGI application.

In: requests that `visitors` lets pass. Out: the page, the list of a visitor's videos, and what was found in each.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from lipfake_jax.web.limits import Limits
from lipfake_jax.web.office import Office
from lipfake_jax.web.page import SCRIPT, render_page, render_style
from lipfake_jax.web.uploads import name_upload, receive_upload
from lipfake_jax.web.visitors import guard

# What each answer may fetch, run and do.
PAGE_POLICY = (
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
  " media-src blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
FINDING_POLICY = (
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none';"
  " frame-ancestors 'none'; sandbox"
)


def create_app(office: Office, limits: Limits, hosts: Sequence[str], token: str | None, port: int) -> ASGIApp:
  """The whole application; see `visitors.guard` for hosts, token and port."""

  @contextlib.asynccontextmanager
  async def lifespan(app: Starlette) -> AsyncIterator[None]:
    del app
    async with office.open():
      yield

  routes = [
    Route('/', partial(show_page, limits)),
    Route('/page.js', show_script),
    Route('/page.css', show_style),
    Route('/videos', partial(list_videos, office)),
    Route('/videos', partial(add_video, office, limits), methods=['POST']),
    Route('/videos/{number}', partial(delete_video, office), methods=['DELETE']),
    Route('/videos/{number}/finding.html', partial(show_finding, office)),
    Route('/videos/{number}/finding.json', partial(give_finding, office)),
  ]
  app = Starlette(routes=routes, lifespan=lifespan)
  return guard(app, hosts, token, port)


async def show_page(limits: Limits, request: Request) -> Response:
  """The page itself."""
  text = render_page(request.state.key, limits)
  return Response(text, media_type='text/html', headers={'content-security-policy': PAGE_POLICY})


async def show_script(request: Request) -> Response:
  """The page's only script."""
  del request
  return Response(SCRIPT, media_type='text/javascript')


async def show_style(request: Request) -> Response:
  """The page's only style sheet."""
  del request
  return Response(render_style(), media_type='text/css')


async def list_videos(office: Office, request: Request) -> Response:
  """A visitor's videos, as JSON."""
  return JSONResponse(office.describe(request.state.visitor))


async def add_video(office: Office, limits: Limits, request: Request) -> Response:
  """Takes a video, the body of the request, under the name in its query."""
  name = name_upload(request.query_params.get('name', ''))
  job = await office.add(request.state.visitor, name, partial(receive_upload, request, limits=limits))
  return JSONResponse({'id': job.id}, 201)


async def delete_video(office: Office, request: Request) -> Response:
  """Forgets a video and what was found in it."""
  office.delete(office.find(request.state.visitor, request.path_params['number']))
  return Response(status_code=204)


async def show_finding(office: Office, request: Request) -> Response:
  """The page of a video, as `lipfake detect` writes it."""
  job = office.find(request.state.visitor, request.path_params['number'])
  text = office.read_finding(job, 'html')
  return Response(text, media_type='text/html', headers={'content-security-policy': FINDING_POLICY})


async def give_finding(office: Office, request: Request) -> Response:
  """The document of a video, to keep."""
  job = office.find(request.state.visitor, request.path_params['number'])
  text = office.read_finding(job, 'json')
  return Response(text, media_type='application/json', headers={'content-disposition': 'attachment'})
