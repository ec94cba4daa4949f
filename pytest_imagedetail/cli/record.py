"""Write recordings: `record` queries clouds, `import` reads an answer saved by hand."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import contract, text
from pytest_imagedetail.cassette import Store, Written, check_cloud_name, load, own_name
from pytest_imagedetail.cassette.names import CHECK
from pytest_imagedetail.cassette.swapping import LOCK, writing
from pytest_imagedetail.check import sources
from pytest_imagedetail.check.asking import OUTAGES
from pytest_imagedetail.check.checks import ALL
from pytest_imagedetail.check.text import headline
from pytest_imagedetail.check.verdicts import run
from pytest_imagedetail.cli import sides
from pytest_imagedetail.cli.arguments import QUERY, Options, add_verb, flag, value
from pytest_imagedetail.cli.output import DIFFERENT, SAME, cell, complain, say, waiting
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.errors import ImageDetailError, RecordingError, UsageError
from pytest_imagedetail.fingerprint import fingerprint
from pytest_imagedetail.lint.suspicious import suspicious
from pytest_imagedetail.listing import Listing, error_status
from pytest_imagedetail.model import Query, Recording
from pytest_imagedetail.record import clouds, recorder
from pytest_imagedetail.record.importing import import_body
from pytest_imagedetail.record.release_guard import (
    evidence_of,
    refuse_other_import,
    remedies_for_change,
)
from pytest_imagedetail.record.retry import Retry
from pytest_imagedetail.record.suites import SUITES, gate_suite, suite_like
from pytest_imagedetail.record.verification import ask_twice
from pytest_imagedetail.redact import Known
from pytest_imagedetail.report import notes, terminal
from pytest_imagedetail.report.findings import places_of
from pytest_imagedetail.settings import (
    CLOUDS_FILE,
    CloudDeclaration,
    Settings,
    check_release,
    declare,
)
from pytest_imagedetail.traffic.matching import line, missing_from
from pytest_imagedetail.traffic.recording import make_recording
from pytest_imagedetail.transport.http import Access
from pytest_imagedetail.workspace import open_live_cloud, reference_library

_IRREGULAR: Final = {"addresses": "address", "people": "person"}  # others end in s
_NAMED: Final = 3  # of the texts that look sensitive
_FIRST_PAGE: Final = "interactions[0].response.body: "
_WIRE: Final = "the answer changed on the wire only: key order, a repeated key or a header"
_LABELS: Final = {
    "release": "the declared release",
    "max_microversion": "the newest microversion",
    "project": "the project",
}


def add_verbs(verbs: Any) -> None:
    """Add both verbs."""
    summary = "record what clouds of clouds.yaml answer"
    parser = add_verb(verbs, "record", _record, summary, *QUERY, "--expect", "--rules")
    about = (
        "a cloud of imagedetail.yaml or clouds.yaml, or a glob (default: $OS_CLOUD, or else "
        "every cloud that imagedetail.yaml declares)"
    )
    value(parser, "clouds", "NAME", about, nargs="*")
    value(parser, "--os-cloud", "NAME", "the cloud's name in clouds.yaml (default: NAME)")
    value(parser, "--name", "N", "the name to keep it under (default: NAME)")
    value(parser, "--release", "R", 'its OpenStack release, for example "2026.2"')
    queries = parser.add_mutually_exclusive_group()
    queries.add_argument(
        "--suite",
        choices=SUITES,
        help="gate: all images, and every query that Nova's releases answer differently; "
        "check: what `imagedetail check` asks",
    )
    value(queries, "--like", "CLOUD", "every query that is recorded from this cloud")
    flag(parser, "--twice", "ask twice, and note what two identical requests disagree on")
    about = "replace a recording whose answer changed (default: print the differences)"
    flag(parser, "--rewrite", about)
    about = "renew the date of the same answer if it is older (default: never)"
    value(parser, "--max-age", "DAYS", about)

    summary = "make a cassette of a body that was saved by hand"
    parser = add_verb(verbs, "import", _import, summary, *QUERY)
    value(parser, "file", "FILE", "the body of the answer, JSON or XML")
    value(parser, "--cloud", "N", "the name to keep it under", required=True)
    value(parser, "--release", "R", "the OpenStack release, if known")
    value(parser, "--status", "CODE", "what the cloud answered with", type=int, default=200)
    flag(parser, "--force", "replace what was recorded from a cloud, too")


def _record(options: Options) -> int:
    if _records_suite(options) and any((options.selects_query, options.twice)):
        raise UsageError(
            "--suite and --like have their own queries",
            remedy="leave out --query, --microversion and --twice",
        )
    if options.suite == "check" and options.expect:
        raise UsageError("the checks know what to expect", remedy="leave out --expect")
    steps = (partial(_record_cloud, target, options) for target in targets_of(options))
    return _run_all(steps, options)


def _records_suite(options: Options) -> bool:
    """Return whether a suite of queries is recorded, which says what to expect of each."""
    return bool(options.suite or options.like)


def _run_all(steps: Iterable[Callable[[], int]], options: Options) -> int:
    """Run every step, even after a failure; return the worst exit code."""
    codes = []
    for step in steps:
        try:
            codes.append(step())
        except ImageDetailError as error:
            codes.append(complain(error, options))
    return max(codes)


def targets_of(options: Options) -> Sequence[CloudDeclaration]:
    """Return the clouds to record, each with its name in clouds.yaml and its release."""
    settings = options.settings
    given = [*options.clouds, *filter(None, [options.name])]
    os_cloud = options.os_cloud or (None if given else os.environ.get("OS_CLOUD"))
    names = given or [*filter(None, [os_cloud])] or list(settings.declared)
    if not names:
        raise UsageError(
            "no cloud is named",
            remedy=f"name one of clouds.yaml: {options.parser.prog} --os-cloud NAME\n"
            f"or set OS_CLOUD, or declare clouds in {CLOUDS_FILE}",
        )
    # A name that is neither recorded nor declared is one of clouds.yaml.
    selection = replace(settings, clouds=tuple(names), record_mode="once")
    selected = selection.select(options.store.clouds())
    if len(selected) > 1 and (os_cloud or options.name or options.release):
        raise UsageError(
            "--os-cloud, --name and --release are for one cloud, and these are "
            f"{len(selected)}: {', '.join(selected)}",
            remedy=f"name one, or declare each cloud in {CLOUDS_FILE}",
        )
    return [
        replace(
            settings.declaration(check_cloud_name(name)),
            os_cloud=_os_cloud(os_cloud, name, settings),
            release=_release(options.release, name, settings),
        )
        for name in selected
    ]


def _os_cloud(given: str | None, name: str, settings: Settings) -> str:
    """Return the cloud's name in clouds.yaml from --os-cloud or its declaration; see `_release`."""
    os_cloud = settings.declaration(given or name).os_cloud
    declared = settings.declared[name].os_cloud if name in settings.declared else os_cloud
    if os_cloud != declared:
        default = ", which is the default there" if declared == name else ""
        raise UsageError(
            f"--os-cloud {given} contradicts imagedetail.yaml, which declares {name!r} as cloud "
            f"{declared!r} of clouds.yaml{default}",
            remedy="record another cloud under another name: --name NAME\n"
            f"or set os_cloud: {os_cloud} in the entry of {name} in imagedetail.yaml",
        )
    return os_cloud


def _release(given: str | None, name: str, settings: Settings) -> str | None:
    """Return the cloud's release from --release or its declaration, which must agree."""
    declared = settings.declaration(name).release
    index = contract.release_index(check_release(given))
    if given and declared and index != contract.release_index(declared):
        raise UsageError(
            f"--release {given} contradicts imagedetail.yaml, which declares {name!r} as release "
            f"{declared}",
            remedy="record an upgraded cloud under a new name: --name NAME\n"
            "or correct the declaration",
        )
    return given or declared


def _record_cloud(target: CloudDeclaration, options: Options) -> int:
    name, store = target.name, options.store
    access = clouds.connect(target.os_cloud, declared=options.settings.declared)
    if options.suite == "check":
        return _record_checks(target, access, options)
    queries = _queries(options)
    stored = {query: recorder.known_query(access, query, cloud=name) for query in queries}
    paths = {query: store.path(name, redacted) for query, redacted in stored.items()}
    adds = not all(path.exists() for path in paths.values())
    live = open_live_cloud(target, access, options.settings, store, adds=adds)
    has_microversions = live.release is not None and contract.reached(live.release, "kilo")
    if has_microversions and access.max_microversion is None:
        say(
            f"warning: {name} is declared as release {live.release}, but offers no microversion, "
            "or its version document cannot be read; an upgrade would show in its answers only"
        )

    def record(number: int, query: Query, statuses: frozenset[int]) -> int:
        with waiting(f"asking {name} ({number} of {len(paths)})"):
            repeated = None
            if options.twice:
                answer, repeated = ask_twice(live, query, expect=options.expect)
            else:
                expect = None if _records_suite(options) else options.expect
                answer = recorder.ask(live, query, expect=expect, accept=statuses)
        _warn_of_release(answer.listing, live.release)
        code = _keep_unchanged(answer, paths[query], access, options)
        if repeated is not None and code == SAME:
            _print_volatile(repeated)
        return code

    steps = enumerate(queries.items(), start=1)
    code = _run_all((partial(record, number, *item) for number, item in steps), options)
    if any(path.exists() for path in paths.values()):
        declare_as(replace(target, release=live.release), options.settings)
    return code


def _record_checks(target: CloudDeclaration, access: Access, options: Options) -> int:
    name, store = target.name, options.store
    path = store.traffic_path(name, CHECK)
    live = open_live_cloud(target, access, options.settings, store, adds=not path.exists())
    retry = Retry(access)
    cloud = sources.live(live, retry)
    with waiting(f"checking {name}"):
        verdicts = run(cloud, ALL)
    if lost := [each for each in cloud.received if each.response.status_code in OUTAGES]:
        raise RecordingError(
            f"the cloud did not answer {text.count(len(lost), 'request')} of "
            f"{len(cloud.received)}: {lost[0].response.status_code}",
            where=f"cloud {name}; nothing was written",
            remedy="record again later\n"
            "`imagedetail serve` cannot stand in here: it has only what was recorded",
        )
    new, known = make_recording(
        cloud.received, cloud=name, test=CHECK, release=live.release, accesses=retry.accesses
    )
    old = None if options.rewrite else store.load_traffic(name, CHECK)
    changed = 0 if old is None else missing_from(old.interactions, new.interactions)
    if changed:
        print(f"not replaced  {path}: {text.count(changed, 'answer')} changed")
        print(f"replace it: imagedetail record {name} --suite check --rewrite")
        return DIFFERENT
    written = store.write(new, known=known)
    print(f"{written.value}  {path}  {text.count(len(new.interactions), 'request')}")
    print(headline(verdicts))
    declare_as(replace(target, release=live.release), options.settings)
    return SAME


def _queries(options: Options) -> Mapping[Query, frozenset[int]]:
    """Return the queries of a set, each with the statuses to accept, or that of `--query`."""
    if not _records_suite(options):
        return {options.parsed_query: frozenset()}
    if options.like:
        suite = suite_like(options.store, sides.select_one(options.like, options))
    else:
        suite = gate_suite(reference_library())
    expected = frozenset(filter(None, [options.expect]))
    return {query: statuses | expected for query, statuses in suite.items()}


def _warn_of_release(listing: Listing, release: str | None) -> None:
    for clue in fingerprint([listing]).contradictions if release else ():
        say(
            f"warning: {listing.cloud} is declared as release {release}, but {clue.seen} "
            f"({clue.span}); imagedetail fingerprint {listing.cloud} shows more"
        )


def _keep_unchanged(
    answer: recorder.NewAnswer, path: Path, access: Access, options: Options
) -> int:
    """Write an answer unless it would replace a different one; return the exit code."""
    hidden: Iterable[tuple[str, str]] = ()
    if path.exists() and not options.rewrite:
        recorder.refuse_leak(answer.listing.recording, answer.known)
        recorded, new = sides.load_path(path), answer.listing
        expect = error_status(recorded.recording)
        comparison = compare(recorded, new, profile="wire", fail_on="change", expect=expect)
        recording = new.recording
        if recorded.provenance.release is None:  # declaring it is no change
            recording = replace(recording, provenance=replace(recording.provenance, release=None))
        if not options.store.holds(recording):
            others = [
                words
                for name, words in _LABELS.items()
                if getattr(recorded.provenance, name) != getattr(recording.provenance, name)
            ]
            reason = _WIRE
            if others:
                reason = f"the answer is the same, and {' and '.join(others)} is another one"
            if comparison.differences:
                print(terminal.details(comparison), end="\n\n")
                reason = "the answer changed"
            print(f"not replaced  {path}: {reason}")
            print(remedies_for_change(comparison, access, cassette_dir=options.cassette_dir))
            return DIFFERENT
        hidden = notes.redaction(comparison)
    _keep(options.store, answer)
    for _, note in hidden:
        print(note)
    return SAME


def declare_as(target: CloudDeclaration, settings: Settings) -> None:
    """Declare a cloud with its name in clouds.yaml, so that `verify` finds it."""
    path = settings.clouds_file
    if target.name in settings.declared or target.name == target.os_cloud:
        return
    is_declared = False
    with suppress(RecordingError), writing(path, lock=path.with_name(LOCK)):
        is_declared = declare(target, path)
    if is_declared:
        release = f", release {target.release}" if target.release else ""
        print(f"declared   {path}  {target.name}: {target.os_cloud}{release}")
    else:
        release = f', release: "{target.release}"' if target.release else ""
        say(
            f"warning: {target.name} could not be added to {path}; add "
            f"`{target.name}: {{os_cloud: {target.os_cloud}{release}}}` to its clouds, or verify "
            f"it with --os-cloud {target.os_cloud}"
        )


def _print_volatile(comparison: Comparison) -> None:
    if comparison.same:
        print("asked twice, and answered the same")
        return
    for first in (place.first for place in places_of(comparison.steps)):
        change = " -> ".join(shown for _, shown in text.values(first))
        print(f"volatile  {first.any_image}  {first.kind}  {change}".rstrip())
    print("two identical requests differed; to accept that, add a rule")


def _import(options: Options) -> int:
    cloud, store = check_cloud_name(options.cloud), options.store
    check_release(options.release)
    declared = options.settings.declaration(cloud).release
    labels = (options.release, declared, *(each.release for each in evidence_of(store, cloud)))
    answer = import_body(
        sides.read_bytes(Path(options.file)),
        cloud=cloud,
        where=options.file,
        query=options.parsed_query,
        status_code=options.status,
        release=next(filter(None, labels), None),
    )
    refuse_other_import(answer.listing.provenance, store, declared=declared)
    path = store.path(cloud, answer.listing.query)
    if not options.force and path.exists() and load(path).provenance.source == "recorded":
        raise UsageError(
            "this would replace a cloud's recorded answer with a body that was saved by hand",
            where=str(path),
            remedy="choose another name with --cloud, or insist with --force",
        )
    is_listing = answer.listing.error is None
    if is_listing and options.parsed_query.is_whole and not answer.listing.complete:
        say(f"warning: {options.file} shows that another page follows, so it is kept as a part")
    return _keep(store, answer)


def _keep(store: Store, answer: recorder.NewAnswer) -> int:
    show_written(store, recorder.keep(store, answer), answer.listing.recording, answer.known)
    return SAME


def show_written(store: Store, written: Written, recording: Recording, known: Known) -> None:
    """Print a cassette's path, contents and redactions; warn of what redaction left."""
    path = store.directory / own_name(recording.provenance)
    verb = written.value if recording.provenance.test is None else "added"
    redacted = ", ".join(
        f"{number} {_IRREGULAR.get(kind, kind.removesuffix('s')) if number == 1 else kind}"
        for kind, number in recording.provenance.redactions.items()
    )
    print(f"{verb}  {path}  {describe(recording)}; redacted: {redacted or 'nothing'}", flush=True)
    for warning in _warnings(recording, known):
        say(f"warning: {warning}")


def describe(recording: Recording) -> str:
    """Describe a recording: `14 images`, `answered 400`, or the last request of a client."""
    if recording.provenance.test is not None:
        return line(recording.interactions[-1])
    error = error_status(recording)
    if error is not None:
        return f"answered {error}"
    return text.count(len(recorder.follow(recording).images), "image")


def _warnings(recording: Recording, known: Known) -> Iterator[str]:
    """Yield what redaction could not decide, and a query that can no longer be verified."""
    query = recording.provenance.query
    if recorder.is_redacted(query):
        yield f"the query was redacted, so `imagedetail verify` cannot ask it again: {cell(query)}"
    if known.weak:
        yield (
            "too weak to search for (short, digits only, or a plain word), and so replaced only "
            f"under a secret's name: {text.count(len(known.weak), 'secret')} of this session"
        )
    texts = list(suspicious(recording.interactions))
    for what, place in texts[:_NAMED]:
        yield f"looks like {what}, kept: {cell(place.removeprefix(_FIRST_PAGE))}"
    if len(texts) > _NAMED:
        yield f"{len(texts) - _NAMED} more of such texts; imagedetail lint lists them"
