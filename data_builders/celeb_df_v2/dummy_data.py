"""A miniature of Celeb-DF v2: twenty persons, swaps of near and far ones, and a list that names two videos too many."""

from data_builders.make_dummy import DummyData, DummyVideo

PEOPLE = 20
REALS = [DummyVideo(f'Celeb-real/id{n}_0000.mp4', 'real', n) for n in range(PEOPLE)]
YOUTUBE = [DummyVideo(f'YouTube-real/{n:05}.mp4', 'real', 100 + n) for n in range(4)]
PAIRS = [(n, n + gap) for gap in (8, 13) for n in range(PEOPLE - gap)] + [(0, 1), (2, 3), (4, 6)]
FAKES = [DummyVideo(f'Celeb-synthesis/id{a}_id{b}_0000.mp4', 'fake', a) for a, b in PAIRS]
# 1 is real and 0 is fake.
TESTED = [*(f'1 {video.path}' for video in REALS[::4]), *(f'0 {video.path}' for video in FAKES[::4])]
ABSENT = ['1 YouTube-real/00299.mp4', '0 Celeb-synthesis/id59_id60_0009.mp4']
DUMMY = DummyData([*REALS, *YOUTUBE, *FAKES], {'List_of_testing_videos.txt': '\n'.join([*TESTED, *ABSENT]) + '\n'})
