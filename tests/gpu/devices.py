"""Running on a device, and comparing what came of it with a CPU."""

import numpy as np
import torch
from thinc.api import require_cpu, to_numpy

from spacy_medflat.runtime import use_device

# A GPU adds in another order, so float32 differs in its last digits, and sums of many values by more.
TOLERANCE = {"rtol": 1e-3, "atol": 1e-4}


def gpu_id(device):
    """What the command line calls it."""
    return -1 if device.type == "cpu" else 0


def compute_on(device):
    """Let spaCy and thinc compute there from now on."""
    require_cpu()
    use_device(gpu_id(device))


def numbers(values):
    """An array of the CPU."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else to_numpy(values)


def assert_close(ours, theirs, **tolerance):
    """That two arrays or tensors are equal, within the tolerance of float32."""
    np.testing.assert_allclose(numbers(ours), numbers(theirs), **{**TOLERANCE, **tolerance})


def scores_of(doc):
    """Each span that was found, with its score."""
    return {(span.start_char, span.end_char, span.label_): span._.score for span in doc.spans["sc"]}


def assert_same_spans(found, wanted):
    """That two readings of the same Docs have the same spans, with nearly the same scores.

    found, wanted: what `scores_of` gave for each Doc.
    """
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.keys() == theirs.keys()
        np.testing.assert_allclose([ours[span] for span in theirs], list(theirs.values()), atol=1e-3)
