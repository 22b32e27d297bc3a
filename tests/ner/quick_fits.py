"""Calibrations that are fitted in a second."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from spacy_medflat.ner import calibrate as fitting
from spacy_medflat.ner.calibration import FitSettings

QUICK = FitSettings(networks=1, hidden=16, least_steps=400, most_steps=400, batch=256, rate=0.01)


@contextmanager
def quick_fits() -> Iterator[None]:
    """Let commands fit less well in few steps: the networks with other settings, and the logit alone."""
    fit = fitting.fit

    def quick(evidence, gold, settings):
        return fit(evidence, gold, replace(settings or QUICK, least_steps=200, most_steps=200))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "fit", quick)
        yield
