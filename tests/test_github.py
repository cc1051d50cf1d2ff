"""What GitHub runs: workflows without a fault, of the versions and commands that the project has."""

import re
import shutil
import subprocess
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

import snnlib

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def workflow(name):
    """A workflow as YAML has it; ``on`` is read as a truth value there."""
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))


def steps(name):
    return [step for job in workflow(name)["jobs"].values() for step in job["steps"]]


def commands():
    return [(path.stem, step["run"]) for path in WORKFLOWS for step in steps(path.stem) if "run" in step]


def test_there_are_three_workflows_that_run_on_what_they_are_for():
    assert [path.stem for path in WORKFLOWS] == ["book", "tests", "weekly"]
    assert set(workflow("tests")[True]) == {"push", "pull_request"}
    assert {"schedule", "workflow_dispatch"} == set(workflow("weekly")[True])


def test_the_versions_tried_are_those_promised():
    tried = workflow("tests")["jobs"]["tests"]["strategy"]["matrix"]
    named = [each.rpartition(" ")[2] for each in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", each)]
    assert tried["python"] == named
    assert PROJECT["requires-python"] == f">={named[0]}"
    assert tried["os"] == [f"{system}-latest" for system in ("ubuntu", "macos", "windows")]
    oldest = workflow("tests")["jobs"]["oldest"]["steps"]
    assert [step["with"]["python-version"] for step in oldest if "with" in step] == [named[0]]
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["target-version"]
    assert lint == "py" + named[0].replace(".", "")


def test_the_version_is_the_same_in_all_places():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(.+?)\]", changes, re.M)
    assert versions[0] == "Unreleased" and versions[1] == snnlib.__version__
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == snnlib.__version__


def test_every_make_target_and_extra_that_a_job_names_exists():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    asked = [target for _, run in commands() for target in re.findall(r"^make (\w+)", run, re.M)]
    assert {"lint", "book", "links"} <= set(asked) <= set(targets)
    extras = [
        extra for _, run in commands() for found in re.findall(r"-e \"\.\[(.*?)\]", run) for extra in found.split(",")
    ]
    assert extras and set(extras) <= set(PROJECT["optional-dependencies"])


def test_the_weekly_run_asks_for_the_newest_and_no_other_run_does():
    weekly = [run for name, run in commands() if name == "weekly" and "pip install" in run]
    assert weekly and all("--upgrade" in run and "constraints" not in run for run in weekly)
    others = [run for name, run in commands() if name != "weekly" and "pip install" in run and "[" in run]
    assert others and all("-c constraints.txt" in run or "--resolution lowest-direct" in run for run in others)


def test_only_publishing_may_write():
    for path in WORKFLOWS:
        assert workflow(path.stem)["permissions"] == {"contents": "read"}
        for name, job in workflow(path.stem)["jobs"].items():
            assert "timeout-minutes" in job
            assert job.get("permissions", {}) == ({"pages": "write", "id-token": "write"} if name == "publish" else {})


def test_each_action_is_of_one_version_and_official():
    used = {step["uses"] for path in WORKFLOWS for step in steps(path.stem) if "uses" in step}
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", each) for each in used)
    assert len({each.split("@")[0] for each in used}) == len(used)


def test_the_hooks_before_a_commit_are_tools_of_the_environment():
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    assert {hook["language"] for hook in repos[0]["hooks"]} == {"system"}
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M).group(1)
    tools = {hook["entry"].split()[0] for hook in repos[0]["hooks"]}
    assert tools == set(re.findall(r"\$\(BIN\)/([\w-]+)", lint))


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.stem
)
def test_a_form_for_issues_asks_for_something(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.stem == "config":
        assert form == {"blank_issues_enabled": False}
        return
    assert form["name"] and form["description"]
    asked = [part for part in form["body"] if part["type"] != "markdown"]
    assert asked and all(part["id"] and part["attributes"]["label"] for part in asked)
    assert any(part.get("validations", {}).get("required") for part in asked)


@pytest.mark.skipif(not shutil.which("actionlint"), reason="no actionlint on this machine")
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actionlint_finds_nothing(path):
    ended = subprocess.run(["actionlint", str(path)], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


# ---------------------------------------------------------------- the link check of the weekly run


@pytest.fixture
def host():
    """A host on this machine: /N answers with status N."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(int(self.path[1:]))
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_link_that_leads_nowhere_is_named_with_its_file(tmp_path, host):
    from book.workflow import links

    (tmp_path / "README.md").write_text(
        f"[here]({host}/200#part), <{host}/404>. {host}/403, https://github.com/OWNER/x", encoding="utf-8"
    )
    assert sorted(links.named(tmp_path)) == [f"{host}/200", f"{host}/403", f"{host}/404"]
    assert links.faults(tmp_path) == [f"{host}/404 (README.md): 404 Not Found"]
    assert links.problem(host.replace("127.0.0.1", "nowhere.invalid"), tries=1)


def test_the_texts_name_addresses():
    from book.workflow import links

    assert "https://arxiv.org/abs/2110.05954" in links.named()
