"""A component that makes the trouble that tests need: texts that fail, slow texts, processes to be killed."""

import os
import time
from pathlib import Path

from spacy.language import Language

BAD = "坏"
SECONDS, PIDS = "MEDFLAT_TEST_SECONDS", "MEDFLAT_TEST_PIDS"


@Language.component("medflat_faults")
def medflat_faults(doc):
    """Fail on a bad text. Take some seconds for a text, and leave the process's id, if the environment says so."""
    if BAD in doc.text:
        raise RuntimeError(f"cannot read {doc.text[:5]}")
    if PIDS in os.environ:
        (Path(os.environ[PIDS]) / str(os.getpid())).touch()
    time.sleep(float(os.environ.get(SECONDS, 0)))
    return doc
