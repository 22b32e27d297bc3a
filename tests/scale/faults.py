"""A component that makes the trouble that tests need: texts that fail, slow texts, processes to be killed."""

import os
import time
from pathlib import Path

import torch
from spacy.language import Language

BAD = "坏"
SECONDS, PIDS = "MEDFLAT_TEST_SECONDS", "MEDFLAT_TEST_PIDS"


@Language.component("medflat_faults")
def medflat_faults(doc):
    """Fail on a bad text.

    If the environment says so, take some seconds for a text, and write torch's number of threads into a file that has
    the process's id as its name.
    """
    if BAD in doc.text:
        raise RuntimeError(f"cannot read {doc.text[:5]}")
    if PIDS in os.environ:
        with (Path(os.environ[PIDS]) / str(os.getpid())).open("a") as file:
            file.write(f"{torch.get_num_threads()}\n")
    time.sleep(float(os.environ.get(SECONDS, 0)))
    return doc
