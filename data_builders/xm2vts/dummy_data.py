"""A miniature of XM2VTS: twelve persons, numbered with gaps, two shots, interlaced."""

from data_builders.make_dummy import DummyData, DummyVideo

PEOPLE = (0, 1, 3, 4, 5, 6, 9, 12, 13, 16, 370, 371)
DUMMY = DummyData(
  [DummyVideo(f'cds001/{n:03}/{n:03}_1_{shot}.avi', 'real', n, interlaced=True) for n in PEOPLE for shot in (1, 2)], {}
)
