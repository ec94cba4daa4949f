"""Serve recordings as clouds (`serve`); record and compare two of them (`demo`)."""

import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import report
from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.cli import sides
from pytest_imagedetail.cli.arguments import Options, add_verb, flag, value
from pytest_imagedetail.cli.output import IMPOSSIBLE, SAME, complain, print_report
from pytest_imagedetail.cli.record import declare_as, describe, show_written, targets_of
from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import ImageDetailError, UsageError
from pytest_imagedetail.listing import error_status
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import clouds, recorder
from pytest_imagedetail.record.recorder import LiveCloud
from pytest_imagedetail.record.suites import REFUSALS
from pytest_imagedetail.redact.placeholders import OWN_PROJECT
from pytest_imagedetail.server import Recorder, Server
from pytest_imagedetail.settings import CloudDeclaration
from pytest_imagedetail.transport.http import Access
from pytest_imagedetail.workspace import open_live_cloud, with_library

_FIRST_LINE: Final = "# Written by `imagedetail serve`, which replaces it.\n"
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_DEMO: Final = ("nova-2023.1", "nova-2024.2")
_QUESTIONS: Final = (
    ("All images: the same answer.", Query()),
    (
        "A limit that is not a number: both refuse it, in other words. Compatible.",
        Query.of(limit="abc"),
    ),
    ("limit=0: Nova 2024.2 refuses what Nova 2023.1 answers. Breaking.", Query.of(limit=0)),
)
"""The queries of `demo`, each with what its answers show."""


def add_verbs(verbs: Any) -> None:
    """Add both verbs."""
    summary = "record and compare two real Nova releases; no account needed"
    parser = add_verb(verbs, "demo", _demo, summary)
    about = "where to put what it makes"
    value(parser, "--folder", "DIR", about, default="imagedetail-demo")
    parser = add_verb(verbs, "serve", _serve, "replay recordings over HTTP on loopback")
    about = "a recorded cloud, or a glob (default: all of the project, or else the shipped ones)"
    value(parser, "clouds", "NAME", about, nargs="*")
    about = "the port of the first cloud; the others follow (default: any free one)"
    value(parser, "--port", "PORT", about, type=int, default=0)
    value(parser, "--clouds-yaml", "FILE", "write credentials for the clouds")
    about = "record each GET of a client that is not recorded yet from a cloud of clouds.yaml"
    flag(parser, "--record", about)
    recording = parser.add_argument_group("with --record, as of the verb `record`")
    for name, metavar in (("--os-cloud", "NAME"), ("--name", "N"), ("--release", "R")):
        value(recording, name, metavar, "")


def _serve(options: Options) -> int:
    if options.record:
        return _serve_recording(options)
    given = [option for option in ("os_cloud", "name", "release") if getattr(options, option)]
    if given:
        raise UsageError(
            f"--{given[0].replace('_', '-')} is for recording",
            remedy="add --record, or name recorded clouds: imagedetail serve NAME",
        )
    store = options.store
    names = store.clouds() or store.library_clouds()
    if options.clouds:
        names = sides.select(options.clouds, options)
    _serve_until_signaled(options, store, dict.fromkeys(names))
    return SAME


def _serve_recording(options: Options) -> int:
    """Serve and record live clouds; return 0 if everything was recorded."""
    store = options.store
    own = replace(store, library=None)  # shipped answers must not replace the cloud's
    recorders: dict[str, Recorder] = {}
    targets = []
    failed: list[ImageDetailError] = []

    def fail(error: ImageDetailError) -> None:
        failed.append(error)
        complain(error, options)

    for target in targets_of(options):
        store.refuse_same_folder(target.name)
        guard = partial(_open_cloud, target, options)
        live = guard()
        written = partial(show_written, store)
        recorders[target.name] = Recorder(live, own, on_written=written, guard=guard)
        targets.append(replace(target, release=live.release))
    _serve_until_signaled(options, own, recorders, on_error=fail)
    for target in targets:
        if store.has_own(target.name):
            declare_as(target, options.settings)
    return IMPOSSIBLE if failed else SAME


def _open_cloud(target: CloudDeclaration, options: Options) -> LiveCloud:
    access = clouds.connect(target.os_cloud, declared=options.settings.declared)
    return open_live_cloud(target, access, options.settings, options.store, adds=True)


def _serve_until_signaled(
    options: Options,
    store: Store,
    recorders: Mapping[str, Recorder | None],
    on_error: Callable[[ImageDetailError], None] | None = None,
) -> None:
    # Blocked before any thread starts, so that the signal waits for sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    with ExitStack() as stack:
        servers = []
        for number, name in enumerate(recorders):
            port = options.port + number if options.port else 0
            server = Server(store, name, port=port, recorder=recorders[name], on_error=on_error)
            servers.append(stack.enter_context(server))
            server.read()  # reports damaged cassettes now
        if options.clouds_yaml is not None:
            _write_credentials(Path(options.clouds_yaml), servers)
        for server in servers:
            print(server.name, server.auth_url, flush=True)
        signal.sigwait(_SIGNALS)


def _write_credentials(path: Path, servers: Sequence[Server]) -> None:
    """Write a clouds.yaml; refuse to replace one that `serve` did not write."""
    remedy = "name a file that does not exist: --clouds-yaml FILE"
    try:
        if path.exists() and not path.read_bytes().startswith(_FIRST_LINE.encode()):
            raise UsageError(
                "the file was not written by `imagedetail serve`, and is left as it is",
                where=str(path),
                remedy=remedy,
            )
        entries = {server.name: server.clouds_yaml for server in servers}
        path.write_text(_FIRST_LINE + yamltext.dump({"clouds": entries}), encoding="utf-8")
    except OSError as error:
        problem = f"the credentials cannot be written: {error.strerror}"
        raise UsageError(problem, where=str(path), remedy=remedy) from error


def _demo(options: Options) -> int:
    folder = Path(options.folder)
    store = Store(directory=folder / "cassettes")
    print(
        "Real answers of Nova 2023.1 and Nova 2024.2 ship with this tool. They are served over\n"
        "HTTP on this machine, recorded as if they were your clouds, and compared offline.\n"
        "These are the commands for that, and what they find:\n\n"
        f"$ mkdir -p {folder} && cd {folder}\n"
        f"$ imagedetail serve {' '.join(_DEMO)} --clouds-yaml clouds.yaml &"
    )
    for cloud in _DEMO:
        _record_demo(store, cloud)
    comparisons = []
    for title, query in _QUESTIONS:
        listings = [sides.load_path(store.path(cloud, query)) for cloud in _DEMO]
        expect = listings[0].status_code if listings[0].error and listings[1].error else None
        comparison = compare(*listings, expect=expect)
        comparisons.append(comparison)
        command = ["imagedetail diff", *_DEMO, *query.options, *_expecting(expect)]
        print(f"\n{title}\n$ {' '.join(command)}")
        print_report(report.report_of([comparison]))
    report.write(report.report_of(comparisons), folder / "report.html")
    print(
        f"\nThe same as a page: {(folder / 'report.html').resolve().as_uri()}\n"
        f"Look closer: cd {folder} && imagedetail show {_DEMO[1]}\n"
        "Your own cloud: pip install openstacksdk && imagedetail record --help"
    )
    return SAME


def _expecting(error: int | None) -> list[str]:
    return [f"--expect {error}"] if error else []


def _record_demo(store: Store, cloud: str) -> None:
    release = cloud.removeprefix("nova-")
    with Server(with_library(store), cloud) as server:
        access = Access(
            endpoint=server.compute_url,
            token=server.token,
            project_id=OWN_PROJECT,
            max_microversion=server.read().max_microversion,
        )
        live = LiveCloud(access=access, name=cloud, release=release)
        for _, query in _QUESTIONS:
            answer = recorder.ask(live, query, accept=REFUSALS)
            recorder.keep(store, answer)
            error = error_status(answer.listing.recording)
            command = [f"imagedetail record --os-cloud {cloud} --release {release}"]
            command += [*query.options, *_expecting(error)]
            path = store.path(cloud, query).relative_to(store.directory.parent)
            print(f"$ {' '.join(command)}\n{path}  {describe(answer.listing.recording)}")
