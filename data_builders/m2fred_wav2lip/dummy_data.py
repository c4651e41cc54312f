"""A miniature of M2FRED / WAV2LIP: ten persons without and with a mask, and two re-syncs of each unmasked video."""

from data_builders.make_dummy import DummyData, DummyVideo

PEOPLE = range(1, 11)
REALS = [DummyVideo(f'M2FRED/{n:03}_0/{n:03}_1_0_{take}.mp4', 'real', n) for n in PEOPLE for take in (1, 2)]
MASKED = [DummyVideo(f'M2FRED/{n:03}_1/{n:03}_1_1_1.mp4', 'real', n) for n in PEOPLE[:3]]
FAKES = [DummyVideo(f'WAV2LIP/{n:03}_1_0_1_{audio:04}.mp4', 'fake', n) for n in PEOPLE for audio in (17, 42)]
DUMMY = DummyData([*REALS, *MASKED, *FAKES], {})
