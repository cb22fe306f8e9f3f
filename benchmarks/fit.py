"""Time and memory of a style-controlled fit to 2,000,000 votes.

    python benchmarks/fit.py [--votes N] [--contestants M] [--voters G] [--repeat R]

Three processes share nothing but files. The first makes the votes and writes one .npy file per
column: shuffled rows, pairs drawn with Zipf-distributed frequencies, four correlated covariates
from log-normal counts, voters of heavy-tailed activity. The second loads the columns and fits;
its times and its peak resident memory, with the columns it reads, are what is reported, and the
generator's memory is not in them. The third fits with voter-clustered intervals, rank sets and
all: a whole Leaderboard.
"""
