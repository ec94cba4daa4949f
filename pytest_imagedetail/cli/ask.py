"""Ask clouds: `record`, `verify` and `doctor`; and `import`, for an answer saved by hand."""

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail import contract, report
from pytest_imagedetail.cassette import Store, check_cloud_name, loads
from pytest_imagedetail.cli import sides
from pytest_imagedetail.cli.arguments import QUERY, add_verb, query, settings
from pytest_imagedetail.cli.output import (
    DIFFERENT,
    IMPOSSIBLE,
    SAME,
    Progress,
    cell,
    complain,
    print_json,
    say,
    wants_color,
)
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.errors import (
    CassetteNotFoundError,
    ComparisonError,
    ImageDetailError,
    UsageError,
)
from pytest_imagedetail.fingerprint import fingerprint
from pytest_imagedetail.harness import accepted, reference_library
from pytest_imagedetail.listing import Listing, error_status
from pytest_imagedetail.model import FAIL_ON, Failure, Query
from pytest_imagedetail.record import clouds, recorder
from pytest_imagedetail.record.importing import Saved, imported
from pytest_imagedetail.record.release_guard import (
    Evidence,
    evidence_of,
    looks_like,
    mislabelled,
    remedies_for_change,
)
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.record.verification import (
    ask_twice,
    refuse_other_cloud,
    refuse_other_import,
    upgraded,
    verify,
)
from pytest_imagedetail.redact import project_in_path
from pytest_imagedetail.redact.suspicious import suspicious
from pytest_imagedetail.report import terminal, text
from pytest_imagedetail.rules import Rules
from pytest_imagedetail.settings import (
    CloudDeclaration,
    Settings,
    check_release,
    nothing_selected,
)
from pytest_imagedetail.transport.http import Access

_SINGULAR: Final = {
    "addresses": "address",
    "headers": "header",
    "hosts": "host",
    "ids": "id",
    "people": "person",
    "secrets": "secret",
}
_NAMED: Final = 3  # of the texts that look sensitive
_FIRST_PAGE: Final = "interactions[0].response.body: "
_WIRE: Final = " on the wire only: key order, a repeated key, a header or the label"
_VERDICTS: Final = ("same", "accepted", "different", "error", "skipped")
_STEPS: Final = (
    "openstacksdk",
    "configuration",
    "auth type",
    "token",
    "compute endpoint",
    "max microversion",
    "release",
    "images/detail",
)


def add_verbs(verbs: Any) -> None:
    """Add the four verbs."""
    summary = "check credentials, endpoint and one answer; shows nothing secret, writes nothing"
    parser = add_verb(verbs, "doctor", _doctor, summary, "--json")
    cloud = parser.add_mutually_exclusive_group()
    cloud.add_argument(
        "cloud", nargs="?", metavar="CLOUD", help="a cloud of imagedetail.yaml or clouds.yaml"
    )
    cloud.add_argument(
        "--os-cloud",
        metavar="NAME",
        help="a cloud of clouds.yaml, or envvars (default: $OS_CLOUD, the OS_* variables, or the "
        "only cloud there is)",
    )

    summary = "record what a cloud of clouds.yaml answers"
    parser = add_verb(verbs, "record", _record, summary, *QUERY, "--rules")
    parser.add_argument(
        "--os-cloud",
        default=os.environ.get("OS_CLOUD"),
        metavar="NAME",
        help="its name in clouds.yaml or imagedetail.yaml (default: $OS_CLOUD)",
    )
    parser.add_argument("--name", metavar="N", help="name to keep it under (default: the same)")
    parser.add_argument(
        "--release", metavar="R", help='its OpenStack release, for example "2026.2"'
    )
    parser.add_argument(
        "--expect", type=int, metavar="CODE", help="record this error, which the query must give"
    )
    parser.add_argument(
        "--twice",
        action="store_true",
        help="ask twice, and note what two identical requests disagree on",
    )
    parser.add_argument(
        "--rewrite",
        action="store_true",
        help="replace a recording whose answer changed (default: print the differences)",
    )
    parser.add_argument(
        "--max-age",
        metavar="DAYS",
        help="renew the date of the same answer if it is older (default: never)",
    )

    summary = "ask live clouds what was recorded of them, and compare; writes no cassette"
    parser = add_verb(verbs, "verify", _verify, summary, *QUERY, "--rules", "--report", "--json")
    parser.add_argument(
        "clouds",
        nargs="*",
        metavar="CLOUD",
        help="a cloud or a glob (default: every cloud that is recorded or declared)",
    )
    parser.add_argument(
        "--os-cloud",
        metavar="NAME",
        help="the name of the one CLOUD in clouds.yaml (default: as imagedetail.yaml says)",
    )
    parser.add_argument("--fail-on", choices=FAIL_ON, default="change", help="default: change")

    summary = "make a cassette of a body that was saved by hand"
    parser = add_verb(verbs, "import", _import, summary, *QUERY)
    parser.add_argument("file", metavar="FILE", help="the body of the answer, JSON or XML")
    parser.add_argument("--cloud", required=True, metavar="N", help="the name to keep it under")
    parser.add_argument("--release", metavar="R", help="the OpenStack release, if known")
    parser.add_argument(
        "--status", type=int, default=200, metavar="CODE", help="what the cloud answered with"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace what was recorded from a cloud, too"
    )


def _record(options: argparse.Namespace) -> int:
    if not options.os_cloud:
        raise UsageError("no cloud is named", remedy="name one: --os-cloud NAME, or set OS_CLOUD")
    name = check_cloud_name(options.name or options.os_cloud)
    chosen = settings(options)
    release = _release(options.release, name, chosen)
    store = Store(
        directory=chosen.cassette_dir, library=reference_library(), max_age=chosen.max_age
    )
    os_cloud = chosen.declaration(options.os_cloud).os_cloud
    access = clouds.connect(os_cloud)
    asked = query(options)
    path = store.path(name, recorder.known_query(access, asked, cloud=name))
    cloud = recorder.LiveCloud(access=access, name=name, release=release, on_wait=say)
    release = refuse_other_cloud(
        cloud,
        store,
        os_cloud=os_cloud,
        adds=not path.exists(),
        rules=accepted(chosen.rules),
    )
    cloud = replace(cloud, release=release)
    repeated = None
    if options.twice:
        live, repeated = ask_twice(cloud, asked, expect=options.expect)
    else:
        live = recorder.ask(cloud, asked, expect=options.expect)
    for clue in fingerprint([live.listing]).contradictions:
        say(
            f"warning: {name} is declared as release {release}, but {clue.seen} ({clue.span}); "
            f"imagedetail fingerprint {name} shows more"
        )
    again = path.exists() and not options.rewrite
    if again and not store.holds(live.listing.recording):
        recorded = sides.own(path)
        changed = _changed(recorded, live)
        print(terminal.render(changed, color=wants_color()))
        print(f"\nnot replaced  {path}: the answer changed{'' if changed.differences else _WIRE}")
        print(
            remedies_for_change(
                changed, os_cloud, access.max_microversion, cassette_dir=options.cassette_dir
            )
        )
        return DIFFERENT
    redacted = text.redacted(_changed(sides.own(path), live)) if again else ()
    _keep(store, live)
    for _, line in redacted:
        print(line)
    if repeated is not None:
        print("\n".join(_volatile(repeated)))
    return SAME


def _release(typed: str | None, name: str, chosen: Settings) -> str | None:
    """Return the cloud's release: as typed or as declared, which must agree."""
    declared = chosen.declaration(name).release
    index = contract.release_index(check_release(typed))
    if typed and declared and index != contract.release_index(declared):
        raise UsageError(
            f"--release {typed} contradicts imagedetail.yaml, which declares {name!r} as release "
            f"{declared}",
            remedy="record an upgraded cloud under a new name: --name NAME\n"
            "or correct the declaration",
        )
    return typed or declared


def _changed(recorded: Listing, live: recorder.Live) -> Comparison:
    """Compare a recording with the answer that would replace it, nothing normalized."""
    recorder.refuse_leak(live.listing.recording, live.known)
    expect = error_status(recorded.recording)
    return compare(recorded, live.listing, profile="wire", fail_on="change", expect=expect)


def _volatile(comparison: Comparison) -> Iterator[str]:
    if comparison.same:
        yield "asked twice, and answered the same"
    for group in text.groups(comparison.differences):
        values = " -> ".join(value for _, value in text.values(group.first))
        yield f"volatile  {group.first.any_image}  {group.first.kind}  {values}".rstrip()
    if not comparison.same:
        yield "two identical requests disagreed; nothing is accepted by that, a rule accepts"


def _import(options: argparse.Namespace) -> int:
    cloud, chosen = check_cloud_name(options.cloud), settings(options)
    store = Store(
        directory=chosen.cassette_dir, library=reference_library(), max_age=chosen.max_age
    )
    declared = chosen.declaration(cloud).release
    labels = (
        check_release(options.release),
        declared,
        *(each.release for each in evidence_of(store, cloud)),
    )
    release = next(filter(None, labels), None)
    saved = Saved(
        body=sides.read_bytes(Path(options.file)),
        cloud=cloud,
        query=query(options),
        status_code=options.status,
        release=release,
        where=options.file,
    )
    live = imported(saved)
    refuse_other_import(live.listing.provenance, store, declared=declared)
    path = store.path(cloud, live.listing.query)
    if not options.force and path.exists() and loads(path).provenance.source == "recorded":
        raise UsageError(
            "this would replace a cloud's recorded answer with a body that was saved by hand",
            where=str(path),
            remedy="choose another name with --cloud, or insist with --force",
        )
    if saved.is_listing and saved.query.is_whole and not live.listing.complete:
        say(f"warning: {options.file} shows that another page follows, so it is kept as a part")
    return _keep(store, live)


def _keep(store: Store, live: recorder.Live) -> int:
    """Write a cassette, and print its path and what was redacted."""
    written = recorder.keep(store, live)
    listing = live.listing
    path = store.path(listing.cloud, listing.query)
    found = f"answered {listing.status_code}"
    if listing.error is None:
        found = text.count(len(listing.images), "image")
    redacted = ", ".join(
        f"{number} {_SINGULAR.get(kind, kind) if number == 1 else kind}"
        for kind, number in listing.provenance.redactions.items()
    )
    print(f"{written.value}  {path}  {found}; redacted: {redacted or 'nothing'}")
    for warning in _warnings(live):
        say(f"warning: {warning}")
    return SAME


def _warnings(live: recorder.Live) -> Iterator[str]:
    """Yield what redaction could not decide: weak secrets, and texts that look sensitive."""
    weak = len(live.known.weak)
    if weak:
        subject = "it is" if weak == 1 else "they are"
        yield (
            f"{text.count(weak, 'secret')} of this session {'is' if weak == 1 else 'are'} too weak "
            f"to search for (short, digits only, or a plain word): {subject} replaced only under "
            "a secret's name; use a stronger one"
        )
    found = list(suspicious(live.listing.recording.interactions))
    for what, place in found[:_NAMED]:
        yield f"looks like {what}, kept: {cell(place.removeprefix(_FIRST_PAGE))}"
    if len(found) > _NAMED:
        yield f"{len(found) - _NAMED} more of such texts; imagedetail lint lists them"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    """What became of one cassette.

    Attributes:
        cloud: Its cloud.
        path: Its file, whether or not it is there.
        recorded: What it holds; None if that cannot be read.
        comparison: With what the cloud answers now; None if it was not asked or did not answer.
        error: Why there is no comparison, or why it does not count: the cloud is another release.
        microversion: The newest one that the cloud offers now.
    """

    cloud: str
    path: Path
    recorded: Listing | None = None
    comparison: Comparison | None = None
    error: ImageDetailError | None = None
    microversion: str | None = None

    @property
    def verdict(self) -> str:
        """One of `_VERDICTS`."""
        if self.error is not None:
            return "error"
        if self.comparison is None:
            return "skipped"
        if self.comparison.same:
            return "same"
        return "different" if self.comparison.differences else "accepted"

    @property
    def finding(self) -> str:
        """The verdict and its reason, in one line."""
        if self.error is not None:
            return f"error: {self.error.problem}"
        if self.comparison is None:
            return "skipped: imported, so there is no cloud to ask"
        if self.verdict == "different":
            return f"different: {self.comparison.summary.partition(': ')[2]}"
        found = "same" if self.comparison.same else self.comparison.summary
        return "; ".join([found, *(line for _, line in text.redacted(self.comparison))])

    def to_dict(self) -> dict[str, Any]:
        return {
            "cloud": self.cloud,
            "query": str(self.recorded.query) if self.recorded is not None else None,
            "path": str(self.path),
            "verdict": self.verdict,
            "problem": str(self.error) if self.error is not None else None,
            "comparison": self.comparison.to_dict() if self.comparison is not None else None,
        }


def _verify(options: argparse.Namespace) -> int:
    chosen = settings(options)
    targets = _targets(options, chosen)
    width = max(len(str(path)) for _, path in targets)
    done: list[_Verified] = []
    for each in _verified(targets, options.os_cloud, chosen):
        done.append(each)
        if not options.json:
            print(f"{each.path!s:<{width}}  {cell(each.finding)}", flush=True)
    done = _with_unused_rules(done)
    compared = [each.comparison for each in done if each.comparison is not None]
    failures = [
        Failure(baseline=each.cloud, candidate=each.cloud, problem=str(each.error))
        for each in done
        if each.error is not None
    ]
    compatible = all(each.compatible for each in compared)
    for path in chosen.reports:
        report.write(compared, path, failures=failures)
    if options.json:
        asked = {each.verdict for each in done} - {"skipped"}
        document = {
            "schema": 1,
            "same": asked == {"same"},
            "compatible": compatible and not failures,
            "cassettes": [each.to_dict() for each in done],
        }
        print_json(document)
    else:
        _print_details(done, options, chosen)
    for problem in dict.fromkeys(failure.problem for failure in failures):
        say(problem)
    if not compared and not failures:
        raise ComparisonError(
            "nothing was verified: what was imported cannot be asked again",
            where=str(chosen.cassette_dir),
            remedy="record from a cloud: imagedetail record --os-cloud NAME",
        )
    if failures:
        return IMPOSSIBLE
    return SAME if compatible else DIFFERENT


def _targets(options: argparse.Namespace, chosen: Settings) -> list[tuple[str, Path]]:
    """Return cloud and path of each cassette to verify; one that is missing is named, too.

    Raises:
        UsageError: An unknown name, or `--os-cloud` for several clouds.
        CassetteNotFoundError: There is none.
    """
    store = Store(directory=chosen.cassette_dir)
    own = store.clouds()
    library = Store(directory=reference_library() or Path()).clouds()
    for name in options.clouds:
        if name in library and name not in (*own, *chosen.declared):
            raise UsageError(
                f"{name} is of the reference library, whose clouds cannot be asked from here",
                remedy="name clouds of your own: imagedetail clouds lists them",
            )
    names = replace(chosen, clouds=tuple(options.clouds)).select(own)
    if options.os_cloud and len(names) != 1:
        raise UsageError(
            f"--os-cloud is the name of one cloud in clouds.yaml, and these are {len(names)}: "
            f"{', '.join(names) or 'none'}",
            remedy="name the one: imagedetail verify CLOUD --os-cloud NAME\n"
            "or declare each cloud's os_cloud in imagedetail.yaml",
        )
    asked = query(options)
    if not (options.query or options.microversion):
        if not options.clouds:  # what only the library has cannot be asked from here
            names = tuple(name for name in names if name in own or name not in library)
        if not names:
            raise nothing_selected(chosen)
        pairs = {name: store.paths(name) or (store.path(name, asked),) for name in names}
        return [(name, path) for name in names for path in pairs[name]]
    paths = [(name, store.path(name, asked)) for name in names]
    found = [(name, path) for name, path in paths if path.exists() or options.clouds]
    if not found:
        raise CassetteNotFoundError(
            f"no cloud has a recording of query {str(asked)!r}",
            where=str(chosen.cassette_dir),
            remedy="imagedetail ls lists what is recorded",
        )
    return found


def _verified(
    targets: Sequence[tuple[str, Path]], os_cloud: str | None, chosen: Settings
) -> Iterator[_Verified]:
    progress, sessions = Progress(), CloudSessions(clouds.connect)
    rules = accepted(chosen.rules)
    for number, (cloud, path) in enumerate(targets, start=1):
        with progress.waiting(f"asking {cloud} ({number} of {len(targets)})"):
            name = os_cloud or chosen.declaration(cloud).os_cloud
            found = _verify_one(cloud, path, name, sessions, chosen, rules, progress)
        yield found


def _verify_one(
    cloud: str,
    path: Path,
    os_cloud: str,
    sessions: CloudSessions,
    chosen: Settings,
    rules: Rules,
    progress: Progress,
) -> _Verified:
    found = _Verified(cloud=cloud, path=path)
    try:
        if not path.exists():
            raise CassetteNotFoundError(
                "nothing is recorded to verify",
                where=str(path),
                remedy=f"record it first: imagedetail record --os-cloud={cloud}",
            )
        declared = chosen.declaration(cloud).release
        recorded = sides.own(path)
        found = replace(found, recorded=recorded)
        if recorded.provenance.source == "imported":
            return found
        access = sessions.access(os_cloud)
        compared = verify(
            recorded, access, fail_on=chosen.fail_on, rules=rules, on_wait=progress.say
        )
        error = mislabelled(recorded.provenance, declared)
        return replace(
            found,
            comparison=compared,
            error=error or upgraded(recorded, access, os_cloud=os_cloud),
            microversion=access.max_microversion,
        )
    except ImageDetailError as error:
        return replace(found, error=error)


def _with_unused_rules(done: Sequence[_Verified]) -> list[_Verified]:
    """Keep as unused only the rules that no comparison used; if one is missing, none is known."""
    compared = [each.comparison for each in done if each.comparison is not None]
    unused = set.intersection(*(set(each.unused_rules) for each in compared)) if compared else set()
    if len(compared) < len(done):
        unused = set()
    trimmed = []
    for each in done:
        if each.comparison is None:
            trimmed.append(each)
            continue
        rules = tuple(rule for rule in each.comparison.unused_rules if rule in unused)
        trimmed.append(replace(each, comparison=replace(each.comparison, unused_rules=rules)))
    return trimmed


def _print_details(
    done: Sequence[_Verified], options: argparse.Namespace, chosen: Settings
) -> None:
    compared = [each for each in done if each.comparison is not None]
    unused = set()
    for each in compared:
        assert each.comparison is not None  # noqa: S101  selected above
        unused |= set(each.comparison.unused_rules)
        if each.comparison.same:
            continue
        print(f"\n{each.path}: recorded, and as it answers now")
        print(terminal.render(each.comparison, color=wants_color()))
        os_cloud = options.os_cloud or chosen.declaration(each.cloud).os_cloud
        if each.comparison.differences and each.error is None and each.recorded is not None:
            print(
                remedies_for_change(
                    each.comparison,
                    os_cloud,
                    each.microversion,
                    cassette_dir=options.cassette_dir,
                )
            )
    for label, line in text.rules((), (), sorted(unused, key=lambda rule: rule.where)):
        print(f"{label}  {line}")
    counts = Counter(each.verdict for each in done)
    found = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _VERDICTS if counts[verdict])
    print(f"\n{text.count(len(done), 'cassette')}: {found}; nothing was written")


def _doctor(options: argparse.Namespace) -> int:
    chosen = settings(options)
    os_cloud = chosen.declaration(options.cloud).os_cloud if options.cloud else options.os_cloud
    findings, progress = _findings(os_cloud, options.cloud, chosen), Progress()
    steps: list[dict[str, str]] = []
    failed, failed_step, width = None, "", max(map(len, _STEPS))
    for name in _STEPS:
        if failed is not None:
            verdict, finding = "skipped", f"needs: {failed_step}"
        else:
            try:
                with progress.waiting(f"{name} ..."):
                    verdict, finding = next(findings)
            except ImageDetailError as error:
                failed, failed_step, verdict, finding = error, name, "failed", error.problem
        steps.append({"step": name, "verdict": verdict, "finding": finding})
        if not options.json:
            print(f"{verdict:<7}  {name:<{width}}  {cell(finding)}", flush=True)
    if options.json:
        print_json({"schema": 1, "ok": failed is None, "steps": steps})
    return SAME if failed is None else complain(failed, IMPOSSIBLE)


def _findings(
    os_cloud: str | None, name: str | None, chosen: Settings
) -> Iterator[tuple[str, str]]:
    """Yield verdict and finding of each of `_STEPS`; raise at the one that fails."""
    yield "ok", clouds.sdk_version()
    configuration = clouds.configure(os_cloud)
    files = " and ".join(map(str, configuration.files)) or "the OS_* variables"
    yield "ok", f"cloud {configuration.cloud!r} of {files}"
    yield "ok", configuration.auth_type
    login = clouds.authenticate(configuration)
    yield "ok", _lifetime(login.expires_at)
    access = clouds.access(login)
    region = f"region {configuration.region or 'not named'}"
    yield "ok", f"{_path(access)}, {region}, interface {configuration.interface}"
    newest = access.max_microversion
    yield "ok", newest or "none: older than microversions, or its version document cannot be read"
    # Which cloud it is, OS_CLOUD and the only one there is included, is known by now.
    declared = chosen.declaration(name) if name else _declared_as(configuration.cloud, chosen)
    yield _release_finding(declared.release, newest)
    yield _one_image(access, declared.name)


def _declared_as(os_cloud: str, chosen: Settings) -> CloudDeclaration:
    """Return the declaration of a cloud of clouds.yaml; its name alone if there is none."""
    known = (each for each in chosen.declared.values() if each.os_cloud == os_cloud)
    return next(known, CloudDeclaration(name=os_cloud, os_cloud=os_cloud))


def _lifetime(expires_at: datetime | None) -> str:
    if expires_at is None:
        return "as configured; its lifetime is not known"
    hours, minutes = divmod(round((expires_at - datetime.now(UTC)).total_seconds() / 60), 60)
    return f"valid for {hours} h {minutes} min" if hours else f"valid for {minutes} min"


def _path(access: Access) -> str:
    """Return the endpoint's path, with a placeholder for the project."""
    path = urlsplit(access.endpoint).path
    project = project_in_path(f"{path}/images") or access.project_id
    return (path.replace(project, "<project>") if project else path) or "/"


def _release_finding(declared: str | None, newest: str | None) -> tuple[str, str]:
    if newest is None:
        known = f"declared: {declared}; nothing of the cloud shows it" if declared else ""
        return "ok", known or "not declared, and nothing shows it"
    looks = f"{newest} looks like {looks_like(newest)}"
    if declared is None:
        return "ok", f"not declared; {looks}"
    if Evidence(where="", release=declared, max_microversion=newest).contradicts_itself:
        return "warning", f"declared: {declared}, but {looks}"
    return "ok", f"declared: {declared}; {looks}"


def _one_image(access: Access, cloud: str) -> tuple[str, str]:
    """Ask for one image, as the recorder does; the redacted answer is looked at and dropped."""
    begun = time.monotonic()
    live = recorder.LiveCloud(access=access, name=cloud)
    listing = recorder.ask(live, Query.of(limit=1)).listing
    milliseconds = round((time.monotonic() - begun) * 1000)
    images = text.count(len(listing.images), "image")
    finding = f"{listing.status_code}, {images} with limit=1, {milliseconds} ms"
    if not listing.images:
        return "warning", f"{finding}: this project sees none"
    return "ok", finding
