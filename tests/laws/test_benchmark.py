"""The benchmark runs and prints what it promises; how fast it was is not tested."""

import re

from benchmarks import compare


def test_the_benchmark_prints_ratios(capsys):
    """Every contestant, for each kind of change, at every size."""
    assert compare.main(["--sizes", "20", "40", "--rounds", "1"]) == 0
    printed = capsys.readouterr().out
    for what in compare.CHANGES:
        assert what in printed
    for name in ("json.loads of both", "load, normalize, compare", "DeepDiff by id"):
        assert len(re.findall(rf"{name} +\d+\.\d\d ms +\d+\.\d\d", printed)) == 4


def test_what_is_timed_is_a_real_comparison():
    """The contestant finds what was planted; timing nothing would be fast."""
    for change, count in (("1 % differ", 3), ("all differ alike", 1)):
        runs = compare.contestants(300, compare.CHANGES[change])
        assert len(runs["load, normalize, compare"]()) == count
