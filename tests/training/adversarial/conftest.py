import pytest

from ...pipelines import write_recipe


@pytest.fixture(scope="session")
def encoder(tmp_path_factory):
    return write_recipe(tmp_path_factory.mktemp("encoder"), dropout=0.1)


@pytest.fixture(scope="session")
def calm_encoder(tmp_path_factory):
    """Without dropout of its own."""
    return write_recipe(tmp_path_factory.mktemp("calm_encoder"))


@pytest.fixture(params=["cnn", "transformer"])
def upstream(request):
    return request.getfixturevalue("encoder") if request.param == "transformer" else None


@pytest.fixture(params=["cnn", "transformer"])
def calm_upstream(request):
    return request.getfixturevalue("calm_encoder") if request.param == "transformer" else None
