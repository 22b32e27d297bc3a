"""What can be checked of the image without building it: its files exist and go to the builder, its command is right."""

import json
import re
import runpy
import shlex
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import srsly

from .snippets import check_command

DOCKER = Path(__file__).parents[1] / "docker"
ROOT = DOCKER.parent
TEXT = re.sub(r"^#.*\n", "", (DOCKER / "Dockerfile").read_text(encoding="utf8"), flags=re.M).replace("\\\n", " ")
INSTRUCTIONS = [line.split(None, 1) for line in TEXT.splitlines() if line.strip()]
COMPOSE = srsly.yaml_loads((DOCKER / "compose.yaml").read_text(encoding="utf8"))


def of(name):
    return [rest for instruction, rest in INSTRUCTIONS if instruction == name]


def test_every_file_that_is_copied_exists_and_goes_to_the_builder():
    lines = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf8").splitlines()
    sent = [line[1:] for line in lines if line.startswith("!")]
    assert lines[1] == "*"
    copied = [word for rest in of("COPY") if "--from" not in rest for word in rest.split()[:-1]]
    for path in (path.replace("${WHEEL}", "x.whl") for path in copied):
        assert any(fnmatch(path, pattern) for pattern in sent), path
        assert path.startswith("packages/") or (ROOT / path).exists(), path


def test_the_versions_are_those_that_were_tested():
    assert re.search(r"^torch==[\d.]+$", (ROOT / "constraints.txt").read_text(encoding="utf8"), re.M)
    installs = [rest for rest in of("RUN") if ".[serve" in rest]
    assert len(installs) == 1 and "-c constraints.txt" in installs[0]
    extras = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(encoding="utf8"), re.M)
    named = re.findall(r"cuda\d+x", (DOCKER / "Dockerfile").read_text(encoding="utf8"))
    assert named and {"serve", *named} <= set(extras)


@pytest.mark.parametrize("given", [json.loads(of("CMD")[-1]), COMPOSE["services"]["medflat"]["command"]])
def test_the_command_exists(given):
    *shell, script, name = json.loads(of("ENTRYPOINT")[-1])
    assert (shell, name) == (["/bin/sh", "-c"], "serve")
    words = shlex.split(script.removeprefix("exec ").replace('"$@"', "").replace('"$MODEL"', "zh_medflat"))
    check_command([*words, *given])


def test_it_runs_as_nobody_and_writes_only_to_its_volume():
    service = COMPOSE["services"]["medflat"]
    assert of("USER") == ["10001"] and of("VOLUME") == ["/data"] and "health.py" in of("HEALTHCHECK")[0]
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["volumes"] == ["data:/data"]
    assert service["ports"] == ["127.0.0.1:8000:8000"] and "MEDFLAT_TOKEN" not in service.get("environment", {})


def test_the_health_check_tells_a_service_that_is_not_there(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["health.py", "http://127.0.0.1:9"])
    with pytest.raises(SystemExit, match="not healthy"):
        runpy.run_path(str(DOCKER / "health.py"))
