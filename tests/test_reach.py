"""What a switcher sees of its network's weights."""

from snnlib.config import READS
from snnlib.report import reach


def test_a_factor_depends_on_the_rows_around_it():
    seen = reach.rows_seen(400)
    assert 400 in seen and seen == list(range(seen[0], seen[-1] + 1)) and len(seen) < 56


def test_only_what_is_read_from_the_weights_follows_them():
    assert [kind for kind in READS if reach.follows(kind)] == ["weights", "shuffled", "reordered"]


def test_batch_norm_hides_a_scale_that_the_switcher_reads():
    without, with_norm = reach.doubled(False), reach.doubled(True)
    assert float(without["output moves by (%)"]) > 50 and float(with_norm["output moves by (%)"]) < 0.5
    assert with_norm["kernels off before"] != with_norm["kernels off after"]
