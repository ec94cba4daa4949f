"""What CI and a developer run, by plain names: `nox -s tests`, `nox -s lint`, `nox -l` for all."""

import shutil
from pathlib import Path

import nox

PYTHONS = ("3.11", "3.12", "3.13")
NEWEST, OLDEST = "pytest>=9", "pytest==8.2.*"
PROJECT = nox.project.load_toml("pyproject.toml")

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["tests", "lint", "typing"]


def group(name: str) -> list[str]:
    """The requirements of a dependency group."""
    return nox.project.dependency_groups(PROJECT, name)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the whole suite on this Python, on every core."""
    session.install("-q", "-e", ".[record]", *group("test"))
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session(python=PYTHONS, name="tests-on")
def tests_on(session: nox.Session) -> None:
    """Run the whole suite on each supported Python that this machine has."""
    session.install("-q", "-e", ".[record]", *group("test"))
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """Run the tests of every folder and of users with the oldest libraries that we allow."""
    project = PROJECT["project"]
    bounds = [*project["dependencies"], *project["optional-dependencies"]["record"]]
    pins = [each.partition(",")[0].replace(">=", "==") for each in bounds]
    session.install("-q", "-e", ".", *pins, *group("test"))
    session.run("pytest", "-n", "auto", "tests/unit", "tests/plugin", "tests/cli", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure which lines and branches the suite runs."""
    session.install("-q", "-e", ".[record]", *group("test"))
    # The plugin is imported before pytest-cov could start, so coverage starts pytest itself.
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine", "-q")
    session.run("coverage", "report", "--skip-covered", "--show-missing")


@nox.session
def realcloud(session: nox.Session) -> None:
    """Real Nova, Glance and Keystone: build, start, and record the library again without drift."""
    session.install("-q", "-e", ".[record]", *group("test"), "uv")
    session.run("pytest", "-m", "realcloud", "tests/realcloud", *session.posargs)


@nox.session
def batteries(session: nox.Session) -> None:
    """Provoke every recorder's faults, side by side, and write the table of docs/batteries.md."""
    session.install("-q", "-e", ".[record]", *group("test"), *group("batteries"))
    session.run("python", "-m", "batteries", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Speed of comparing, as ratios within one run; `python -m benchmarks.idle` needs valgrind."""
    session.install("-q", "-e", ".")
    session.run("python", "-m", "benchmarks.compare", *session.posargs)


def run_beside(session: nox.Session, pytest: str) -> None:
    """Run the project of tests/coexistence with one pytest and all of the other plugins."""
    project = Path(session.create_tmp()) / "project"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree("tests/coexistence", project)
    session.install("-q", "-e", ".", pytest, *group("coexistence"))
    run = ("pytest", "-p", "no:cacheprovider")
    recording, vcr = ("-p", "no:vcr"), ("-p", "no:recording")  # they refuse each other
    with session.chdir(project):
        if pytest == OLDEST:
            # pytest-asyncio 1.3 and anyio leave an event loop open between them.
            run = (*run, "-W", "ignore::pytest.PytestUnraisableExceptionWarning")
        else:
            session.run(*run, *recording, "-c", "pyproject.toml")
        session.run(*run, *recording)
        session.run(*run, *vcr, "-n", "2")
        session.run(*run, *recording, "-p", "no:imagedetail", "-c", "without.ini", "without.py")


@nox.session
def coexistence(session: nox.Session) -> None:
    """Run a project beside other plugins, with the newest pytest on this Python."""
    run_beside(session, NEWEST)


@nox.session(python=PYTHONS, name="coexistence-on")
@nox.parametrize("pytest", [NEWEST, OLDEST], ids=["newest", "oldest"])
def coexistence_on(session: nox.Session, pytest: str) -> None:
    """The same on each supported Python, and with the oldest supported pytest."""
    run_beside(session, pytest)


@nox.session
def lint(session: nox.Session) -> None:
    """Style: ruff's rules and formatting, and the CI files of the examples."""
    session.install("-q", *group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    gate, check = "examples/upgrade-gate", ("check-jsonschema", "--builtin-schema")
    session.run(*check, "vendor.github-workflows", f"{gate}/.github/workflows/images.yml")
    session.run(*check, "vendor.gitlab-ci", f"{gate}/.gitlab-ci.yml")
    schema = "pytest_imagedetail/report/schema.json"
    session.run("check-jsonschema", "--check-metaschema", schema)


@nox.session
def typing(session: nox.Session) -> None:
    """Types: mypy, strict."""
    session.install("-q", "-e", ".", *group("lint"))
    session.run("mypy")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel and use it away from the checkout: the demo, the library, the examples."""
    session.install("-q", "build", *group("examples"))
    folder = session.create_tmp()
    session.run("python", "-m", "build", "-q", "--wheel", "--outdir", folder, ".")
    session.run("bash", "-c", f"pip install -q {folder}/*.whl", external=True)
    with session.chdir(folder):
        session.run("imagedetail", "demo")
        session.run("imagedetail", "show", "openstack-sample")
    for example in ("upgrade-gate", "client-tests"):
        with session.chdir(f"examples/{example}"):
            session.run("pytest", "-q", "-p", "no:cacheprovider")
    with session.chdir("examples/clean-cassettes"):
        session.run("imagedetail", "scrub", "recordings", "--cloud", "staging")
        session.run("imagedetail", "lint")
        session.run("pytest", "-q", "-p", "no:cacheprovider")
