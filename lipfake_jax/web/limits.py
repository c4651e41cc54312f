"""How much a visitor of the page may ask for, and how long it is kept."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Limits:
  """What the flags of `lipfake web` set.

  Attributes:
    upload_bytes: of one file.
    upload_s: seconds that its way here may take.
    stall_s: seconds without a byte, after which it has ended.
    look_s: seconds that it may be looked at.
    keep_s: seconds that findings are kept, and that a video may wait for its turn.
    queue: videos that wait or are on their way here, of all visitors together.
  """

  upload_bytes: int = 512 << 20
  upload_s: float = 600.0
  stall_s: float = 30.0
  look_s: float = 1800.0
  keep_s: float = 3600.0
  queue: int = 64


SPOOL_BYTES = 4 << 30  # of any file that is written while a video is looked at: 48 KiB a frame and face
RESERVE_BYTES = SPOOL_BYTES + (1 << 30)  # free bytes of the disk that no upload may take
