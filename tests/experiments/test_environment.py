import socket
from importlib.metadata import version

from spacy_medflat.experiments.environment import cores, describe_environment


def test_it_says_what_matters_and_names_no_machine():
    found = describe_environment(3)
    assert found["packages"]["spacy"] == version("spacy") and found["packages"]["torch"].startswith("2.")
    assert found["threads"] == 3 and found["cores"] == cores() >= 1
    assert socket.gethostname() not in str(found)
