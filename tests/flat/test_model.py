"""FLAT against the naive formula in float64: outputs, gradients of inputs and of every parameter."""

import random

import numpy as np
import pytest
import torch

from spacy_medflat.flat import kernel, position_scores, positions
from spacy_medflat.flat.batch import DocWords, cut_windows, pack_parts
from spacy_medflat.flat.model import FlatEncoder, FlatTexts
from spacy_medflat.flat.settings import FlatSettings
from spacy_medflat.runtime import weights_changed
from spacy_medflat.windows import split_windows

from . import naive
from .windows import batch, lay_out, random_words

TOLERANCE = 1e-10
LARGEST: list[float] = []


@pytest.fixture(scope="module", autouse=True)
def largest_error():
    """Shown by `pytest -s`: the largest difference of all outputs and gradients."""
    yield
    print(f"\nlargest error against the naive formula, of {len(LARGEST)} comparisons: {max(LARGEST, default=0.0):.1e}")


@pytest.fixture(params=["sampled", "picked"])
def way(request, monkeypatch):
    """The two ways of scoring words: that of a CPU, and that of other devices."""
    monkeypatch.setattr(position_scores, "SAMPLED_ON", {"cpu"} if request.param == "sampled" else set())


def make(n_in=12, n_word=5, seed=0, **settings):
    torch.manual_seed(seed)
    settings = {"width": 12, "n_heads": 3, "window": 17, "overlap": 0, "feed_forward": 8, **settings}
    encoder = FlatEncoder(n_in, n_word, FlatSettings(**settings)).double()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return encoder


def outputs_and_gradients(encoder, run, inputs):
    for tensor in (*inputs, *encoder.parameters()):
        tensor.grad = None
        tensor.requires_grad_(True)
    rows = run()
    torch.manual_seed(7)
    sum((row * torch.randn_like(row)).sum() for row in rows).backward()
    gradients = {f"input {i}": tensor.grad.clone() for i, tensor in enumerate(inputs) if tensor.grad is not None}
    gradients |= {name: p.grad.clone() for name, p in encoder.named_parameters() if p.grad is not None}
    return [row.detach() for row in rows], gradients


def compare(encoder, chars, words, layout, windows):
    def ours():
        out = encoder(chars, words, layout)
        return [out[b, :n] for b, (n, _) in enumerate(windows)]

    def theirs():
        rows = []
        for b, (n, found) in enumerate(windows):
            ends = torch.tensor(found, dtype=torch.long).reshape(-1, 2)
            rows.append(naive.flat(encoder, chars[b, :n], words[b, : len(found)], ends[:, 0], ends[:, 1]))
        return rows

    got, got_gradients = outputs_and_gradients(encoder, ours, (chars, words))
    expected, expected_gradients = outputs_and_gradients(encoder, theirs, (chars, words))
    assert got_gradients.keys() >= expected_gradients.keys()
    pairs = {f"output {i}": pair for i, pair in enumerate(zip(got, expected, strict=True))}
    for name, gradient in got_gradients.items():
        pairs[name] = gradient, expected_gradients.get(name, torch.zeros_like(gradient))
    with torch.no_grad():
        pairs |= {f"prediction {i}": pair for i, pair in enumerate(zip(ours(), expected, strict=True))}
    errors = {name: (a - b).abs().max().item() for name, (a, b) in pairs.items()}
    LARGEST.append(max(errors.values()))
    assert errors == pytest.approx(dict.fromkeys(errors, 0.0), abs=TOLERANCE)


POSITIONS = [(True, False), (True, True), (False, True)]


@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize(("shared", "learned"), POSITIONS)
@pytest.mark.parametrize("fusion", ["ff", "ff_two", "attention", "gate"])
def test_equals_naive(way, fusion, shared, learned, scaled, n_layers):
    encoder = make(fusion=fusion, shared_positions=shared, learned_positions=learned, scaled=scaled, n_layers=n_layers)
    compare(encoder, *batch(1, [(9, 6), (14, 9), (5, 0), (1, 0)], 12, 5))


@pytest.mark.parametrize("fusion", ["ff", "ff_two", "attention", "gate"])
def test_words_alone_equals_naive(way, fusion):
    compare(make(fusion=fusion, attend="words"), *batch(2, [(9, 6), (14, 9), (5, 0), (1, 0)], 12, 5))


@pytest.mark.parametrize(("gated", "width", "feed_forward"), [(False, 12, 8), (True, 6, 0), (False, 6, 8)])
def test_shapes_equal_naive(gated, width, feed_forward):
    encoder = make(gated=gated, width=width, feed_forward=feed_forward)
    chars, words, layout, windows = batch(3, [(7, 4), (10, 6)], 12, 5)
    assert encoder(chars, words, layout).shape == (2, 10, 12 if gated else width)
    compare(encoder, chars, words, layout, windows)


def test_several_blocks_equal_naive(way, monkeypatch):
    monkeypatch.setattr(kernel, "BLOCK_QUERIES", 4)
    monkeypatch.setattr(kernel, "BLOCK_VALUES", 600)  # a few words at a time
    compare(make(), *batch(4, [(9, 6), (14, 9), (11, 7)], 12, 5))


def test_characters_alone_equal_naive():
    chars, words, _, windows = batch(5, [(8, 0), (3, 0)], 12, 5)
    compare(make(n_word=0), chars, words, lay_out(windows), windows)


@pytest.mark.parametrize("n_layers", [1, 2])
def test_order_and_company_do_not_matter(way, n_layers):
    encoder = make(n_layers=n_layers).eval()
    chars, words, layout, windows = batch(6, [(9, 6), (14, 9)], 12, 5)
    with torch.no_grad():
        together = encoder(chars, words, layout)
        for b, (n, found) in enumerate(windows):
            order = list(range(len(found)))
            random.Random(b).shuffle(order)
            alone = encoder(chars[b : b + 1, :n], words[b : b + 1, order], lay_out([(n, [found[i] for i in order])]))
            torch.testing.assert_close(alone[0], together[b, :n], rtol=0, atol=1e-12)


def test_gate_starts_at_the_encoder():
    chars, words, layout, _ = batch(7, [(9, 6)], 12, 5)
    encoder = FlatEncoder(12, 5, FlatSettings(width=12, n_heads=3)).double()
    assert torch.equal(encoder(chars, words, layout), chars)


def test_dropout_repeats_in_the_backward_pass():
    """With one value per dropout mask, finite differences and the gradient agree only if the masks do."""
    encoder = make(attention_dropout=0.5)
    chars, words, layout, _ = batch(8, [(6, 4)], 12, 5)
    chars.requires_grad_(True)

    def value():
        torch.manual_seed(3)
        return encoder(chars, words, layout).square().sum()

    gradient = torch.autograd.grad(value(), chars)[0]
    with torch.no_grad():
        direction = torch.randn_like(chars)
        before = chars.clone()
        sides = []
        for step in (1e-6, -1e-6):
            chars.copy_(before + step * direction)
            with torch.enable_grad():
                sides.append(value().item())
    assert (sides[0] - sides[1]) / 2e-6 == pytest.approx((gradient * direction).sum().item(), rel=1e-5)


def test_word_dropout_hides_words():
    encoder = make(word_dropout=0.999)
    chars, words, layout, _ = batch(9, [(9, 6)], 12, 5)
    without = lay_out([(9, [])])
    torch.testing.assert_close(encoder(chars, words, layout), encoder(chars, words[:, :0], without))
    encoder.eval()
    assert not torch.allclose(encoder(chars, words, layout), encoder(chars, words[:, :0], without))


def test_cached_rows_follow_the_parameters():
    encoder = make().eval()
    chars, words, layout, _ = batch(10, [(9, 6)], 12, 5)
    with torch.no_grad():
        first = encoder(chars, words, layout)
        assert torch.equal(first, encoder(chars, words, layout))
        for parameter in encoder.layers[0].attention.rows.parameters():
            parameter.mul_(2.0)
        changed = encoder(chars, words, layout)
    assert not torch.allclose(first, changed)
    torch.testing.assert_close(changed, encoder(chars, words, layout).detach())


def swap_halves(tensor):
    """Other values with the same sum."""
    tensor.copy_(tensor.flip(0))


def replace_memory(tensor):
    tensor.data = tensor.data * 2.0


def change_memory(tensor):
    """As an optimizer that works on the memory: torch does not count it, the gradient is zeroed afterwards."""
    tensor.grad = torch.ones_like(tensor)
    tensor.detach().numpy()[...] *= 2.0
    tensor.grad.zero_()


def exchange_memory(tensor):
    """As averages that take the place of weights for a while."""
    tensor.detach().numpy()[...] *= 2.0
    weights_changed()


@pytest.mark.parametrize("change", [swap_halves, replace_memory, change_memory, exchange_memory])
def test_kept_rows_end_with_any_change_of_a_weight(change):
    encoder = make().eval()
    chars, words, layout, _ = batch(10, [(9, 6)], 12, 5)
    weight = encoder.layers[0].attention.rows.project.weight
    with torch.no_grad():
        if change is change_memory:
            weight.grad = torch.zeros_like(weight)
        first = encoder(chars, words, layout)
        change(weight)
        changed = encoder(chars, words, layout)
    assert not torch.allclose(first, changed)
    torch.testing.assert_close(changed, encoder(chars, words, layout).detach())


def test_kept_rows_grow_with_texts_and_words(monkeypatch):
    """Longer texts, longer words, and back: as with rows that are computed for each batch alone."""
    monkeypatch.setattr(positions, "REACH_STEP", 4)
    encoder = make().eval()
    for sizes in ([(5, 2)], [(14, 9)], [(5, 0)], [(9, 6), (3, 0)], [(16, 12)]):
        chars, words, layout, _ = batch(sum(map(sum, sizes)), sizes, 12, 5)
        with torch.no_grad():
            found, expected = encoder(chars, words, layout), make().eval()(chars, words, layout)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("attend", ["lattice", "words"])
def test_prediction_never_waits_for_a_device(monkeypatch, attend):
    monkeypatch.setattr(position_scores, "SAMPLED_ON", set())
    encoder = make(attend=attend).eval()
    chars, words, layout, _ = batch(10, [(9, 6), (14, 9)], 12, 5)

    def waits(*_, **__):
        pytest.fail("a value is fetched from the device")

    for name in ("item", "tolist", "cpu", "numpy", "nonzero", "__bool__", "__float__", "__int__", "__index__"):
        monkeypatch.setattr(torch.Tensor, name, waits)
    with torch.no_grad():
        first = encoder(chars, words, layout)
        second = encoder(chars, words, layout)
    monkeypatch.undo()
    assert torch.equal(first, second)


def test_cached_rows_are_kept_for_one_precision(monkeypatch):
    encoder = make().float().eval()
    chars, words, layout, _ = batch(10, [(9, 6)], 12, 5)
    rows = encoder.layers[0].attention.rows
    computed = []
    compute = rows._rows
    monkeypatch.setattr(rows, "_rows", lambda *args: computed.append(args) or compute(*args))

    def run(half):
        before = len(computed)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            out = encoder(chars.float(), words.float(), layout)
        return out, len(computed) - before

    (single, n_single), (half, n_half) = run(False), run(True)
    assert n_single and n_half == n_single and not torch.equal(single, half)
    again, n_again = run(True)
    assert n_again == 0 and torch.equal(again, half)
    assert torch.equal(run(False)[0], single)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_lower_precision_is_near(way, dtype):
    encoder = make(n_layers=2)
    chars, words, layout, _ = batch(11, [(9, 6), (14, 9)], 12, 5)
    exact = encoder(chars, words, layout).detach()
    single = encoder.float()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
        out = single(chars.float().requires_grad_(), words.float(), layout)
        out.float().square().sum().backward()
    keep = layout.char_mask
    error = (out.double() - exact)[keep].abs().max() / exact[keep].abs().max()
    assert error < (1e-5 if dtype == torch.float32 else 0.05)
    assert all(torch.isfinite(p.grad).all() for p in single.parameters() if p.grad is not None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fusion": "sum"}, "'sum'"),
        ({"attend": "all"}, "'all'"),
        ({"n_heads": 5}, "n_heads=5"),
        ({"n_layers": 0}, "n_layers"),
        ({"n_layers": 2, "attend": "words"}, "attend='words'"),
        ({"feed_forward": -1}, "-1"),
        ({"dropout": 1.0}, "1.0"),
    ],
)
def test_settings_out_of_range(wrong, message):
    with pytest.raises(ValueError, match=message):
        FlatSettings(**{"width": 12, "n_heads": 3, **wrong})


def test_windows_of_long_texts_equal_naive():
    torch.manual_seed(0)
    lengths, window, overlap = [45, 0, 7, 16], 16, 6
    rng = random.Random(0)
    flat = FlatTexts(12, 5, FlatSettings(feed_forward=8, n_heads=3, window=window, overlap=0)).double().eval()
    with torch.no_grad():
        flat.flat.gate.add_(1.0)
    places = [random_words(rng, n, n // 2) if n else [] for n in lengths]
    words, first = [], 0
    for found in places:
        heads, tails = np.array(sorted(found), dtype=np.int64).reshape(-1, 2).T
        words.append(DocWords(heads, tails, np.arange(first, first + len(heads))))
        first += len(heads)
    chars = torch.randn(sum(lengths), 12, dtype=torch.float64)
    features = torch.randn(first, 5, dtype=torch.float64)
    windows, counts = cut_windows(lengths, words, window, overlap, 99)
    assert not counts["across windows"]
    with torch.no_grad():
        got = flat(chars, features, pack_parts(windows, 40, torch.device("cpu")))
        expected, start = [], 0
        for length, found in zip(lengths, words, strict=True):
            cut = split_windows(length, window, overlap)
            for i, (a, b) in enumerate(zip(cut.starts, cut.ends, strict=True)):
                inside = (found.heads >= a) & (found.tails < b)
                heads, tails = (torch.from_numpy(x[inside] - a) for x in (found.heads, found.tails))
                rows = torch.from_numpy(found.features[inside])
                result = naive.flat(flat.flat, chars[start + a : start + b], features[rows], heads, tails)
                end = cut.owner_starts[i + 1] if i + 1 < len(cut.starts) else length
                expected.append(result[cut.owner_starts[i] - a : end - a])
            start += length
    torch.testing.assert_close(got, torch.cat(expected), rtol=0, atol=1e-12)
