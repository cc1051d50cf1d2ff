"""Times of a forward pass by form: the forms compute what they say."""

import torch

from snnlib.report import latency


def test_zeros_and_sparse_matrices_compute_the_same_and_leave_what_they_say():
    draw = torch.Generator().manual_seed(1)
    whole = latency.layers((8, 6, 4), draw)
    zeros, x = latency.with_zeros(whole, 0.25), torch.randn(5, 8, generator=draw)
    assert [int((matrix != 0).sum()) for matrix in zeros] == [12, 6]
    largest = whole[0].abs().flatten().sort(descending=True).values[:12]
    assert torch.equal(zeros[0].abs().flatten().sort(descending=True).values[:12], largest)
    sparse = latency.forward(latency.sparse(zeros), x)
    assert torch.allclose(sparse, latency.forward(zeros, x)) and sparse.shape == (5, 4)
    assert torch.allclose(latency.forward(whole, x), (x @ whole[0].T).relu() @ whole[1].T)


def test_the_table_has_a_line_a_form_and_the_whole_network_is_the_measure():
    found = latency.of_quarter(batch=2, widths=(8, 6, 4), least=0.001)
    assert list(found["weights left"].iloc[:3]) == ["100 %", "25 %", "25 %"] and found["of the whole"].iloc[0] == "1.00"
    assert all(text.endswith(" µs") and int(text.split()[0]) >= 0 for text in found["time"])
