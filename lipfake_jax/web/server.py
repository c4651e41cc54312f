"""What answers requests: one process, plain HTTP. Visitors leave no log, since addresses hold names of files."""

import uvicorn
from starlette.types import ASGIApp

CONNECTIONS = 256  # at once; more are turned away
LAST_S = 1  # for what is on its way when the program is told to end


def create_server(app: ASGIApp) -> uvicorn.Server:
  """A server that trusts no header of a proxy, and says nothing of itself."""
  config = uvicorn.Config(
    app,
    loop='asyncio',
    http='h11',
    ws='none',
    log_level='warning',
    access_log=False,
    proxy_headers=False,
    server_header=False,
    limit_concurrency=CONNECTIONS,
    timeout_graceful_shutdown=LAST_S,
  )
  return uvicorn.Server(config)
