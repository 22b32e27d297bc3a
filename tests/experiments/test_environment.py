import socket
from importlib.metadata import version

from spacy_medflat.experiments.environment import describe_environment
from spacy_medflat.runtime import usable_cpus


def test_it_says_what_matters_and_names_no_machine():
    found = describe_environment(3)
    assert found["packages"]["spacy"] == version("spacy") and found["packages"]["torch"].startswith("2.")
    assert found["threads"] == 3 and found["cores"] == usable_cpus() >= 1
    assert socket.gethostname() not in str(found)
